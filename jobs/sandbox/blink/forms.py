"""What bLink accepts as a contact and as an address, after OpenWealth Customer Management 1.2.1; and how it refuses.

`seed` strictness demands only what the Customer Management page names; `vendor` also enumerations and lengths.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.sandbox.call import Call
from jobs.sandbox.reply import Headers

MEDIA = ("email", "phone", "fax", "website", "socialMediaProfile")
MEDIUM_TYPES = ("private", "business")
DISPATCH_TYPES = ("postal", "electronical", "other")
NEEDED_PLACE = ("postCode", "townName", "country")
LONGEST_CONTENT = 70
LONGEST_TEXT = 35
"""Characters: of a contact's content and additional information; of a text of an address."""

ADDRESS = ("dispatchType", "isDomicile", "isMailingAddress", "language", "postalAddress")


class Refused(Exception):
    """Ends a call with `status` and a problem; `kind` is one of the vendor's types. `members` come beside them."""

    def __init__(self, status: int, kind: str, detail: str, headers: Headers = (), **members: str) -> None:
        super().__init__(f"{status} {kind}")
        self.status, self.kind, self.detail, self.headers, self.members = status, kind, detail, headers, members


def body(call: Call) -> dict[str, Any]:
    """The JSON object that was sent; Refused 400."""
    sent = call.json()
    if not isinstance(sent, dict) or not call.headers.get("content-type", "").startswith("application/json"):
        raise Refused(400, "malformedPayload", "The body is not a JSON object")
    return sent


def contact(sent: Mapping[str, Any], *, vendor: bool) -> dict[str, str]:
    """The members of a new contact; Refused 400, which quotes the value, as platforms do."""
    if "contactIdentification" in sent:
        raise _invalid("contactIdentification", "is given by the bank")
    names = ("medium", "contactMediumType", "contactContent", "additionalContactInformation")
    members = {name: sent[name] for name in names if sent.get(name) is not None}
    for name in ("medium", "contactContent"):
        if name not in members:
            raise _invalid(name, "is required")
    for name, value in members.items():
        if not isinstance(value, str) or not value.strip():
            raise _invalid(name, f"'{value}' is not a text")
        if vendor and len(value) > LONGEST_CONTENT:
            raise _invalid(name, f"'{value}' has more than {LONGEST_CONTENT} characters")
    for name, allowed in (("medium", MEDIA), ("contactMediumType", MEDIUM_TYPES)):
        if vendor and members.get(name, allowed[0]) not in allowed:
            raise _invalid(name, f"'{members[name]}' is none of {', '.join(allowed)}")
    return members


def new_address(sent: Mapping[str, Any], *, vendor: bool) -> dict[str, Any]:
    """A new address as it will be read; Refused 400."""
    _check_postal(sent, vendor=vendor)
    return {"dispatchType": "postal", "postalAddress": sent["postalAddress"]}


def changed_address(sent: Mapping[str, Any], *, vendor: bool) -> tuple[str, dict[str, Any]]:
    """The identification, a text or a number, and the whole new address; Refused 400."""
    name = sent.get("addressIdentification")
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise _invalid("addressIdentification", "is required, as a text or a number")
    _check_postal(sent, vendor=vendor)
    if vendor and sent.get("dispatchType") not in DISPATCH_TYPES:
        raise _invalid("dispatchType", f"'{sent.get('dispatchType')}' is none of {', '.join(DISPATCH_TYPES)}")
    for flag in ("isDomicile", "isMailingAddress"):
        if vendor and not isinstance(sent.get(flag, True), bool):
            raise _invalid(flag, "must be true or false")
    return str(name), {each: sent[each] for each in ADDRESS if each in sent}


def _check_postal(sent: Mapping[str, Any], *, vendor: bool) -> None:
    postal = sent.get("postalAddress")
    if not isinstance(postal, dict) or not postal:
        raise _invalid("postalAddress", "is required, as an object")
    if not vendor:
        return
    if not isinstance(postal.get("salutation"), dict):
        raise _invalid("salutation", "is required, as an object")
    physical = postal.get("physicalAddress")
    # The specification lists these as members of the postal address although they live one level below.
    place = {**postal, **(physical if isinstance(physical, dict) else {})}
    for name in NEEDED_PLACE:
        if not isinstance(place.get(name), str) or not place[name]:
            raise _invalid(name, "is required")
    if not re.fullmatch("[A-Z]{2}", place["country"]):
        raise _invalid("country", f"'{place['country']}' is not a code of two letters")
    for text in _texts(postal):
        if len(text) > LONGEST_TEXT:
            raise _invalid("postalAddress", f"'{text}' has more than {LONGEST_TEXT} characters")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)


def _invalid(name: str, complaint: str) -> Refused:
    return Refused(400, "invalidPayload", f"{name}: {complaint}")
