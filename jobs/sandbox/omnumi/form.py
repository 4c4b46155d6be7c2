"""The body that Omnumi accepts: kinds of its members, as the request example of v1.5.0 shows them.

The note marks no member as required. What is demanded here is chosen: the members without which no verification of a
person could begin. Members that the example does not show are ignored.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

Check = Callable[[object], str | None]
"""What is wrong with a value; None when nothing is."""


def text(value: object) -> str | None:
    """A string; an empty one counts as absent."""
    return None if isinstance(value, str) else "must be a string"


def day(value: object) -> str | None:
    """A day that exists, `YYYY-MM-DD`; an empty string counts as absent."""
    if value == "":
        return None
    try:
        return None if isinstance(value, str) and date.fromisoformat(value).isoformat() == value else "must be a date"
    except ValueError:
        return "must be a date, YYYY-MM-DD"


def flag(value: object) -> str | None:
    """true or false; the example has no text here."""
    return None if isinstance(value, bool) else "must be true or false"


def free(value: object) -> str | None:
    """Any object."""
    return None if isinstance(value, dict) else "must be an object"


def text_or_list(value: object) -> str | None:
    """`maritalStatus`: the example shows a list of texts, which may be meant as the choice between them."""
    values = value if isinstance(value, list) else [value]
    return None if all(isinstance(item, str) for item in values) else "must be a string or a list of strings"


def _like(expression: str, complaint: str) -> Check:
    compiled = re.compile(expression, re.ASCII)
    return lambda value: None if isinstance(value, str) and (not value or compiled.fullmatch(value)) else complaint


Shape = Mapping[str, object]
"""A Check, a Shape or a list of one Shape for each member."""


def _texts(names: str) -> dict[str, object]:
    return dict.fromkeys(names.split(), text)


DOCUMENT: Shape = _texts("description fileName side type content number issuedCountry") | {
    "expired": flag,
    "validFromDate": day,
    "validTillDate": day,
}

DEVICE: Shape = _texts("deviceData declaredAddress phoneNumber iPAddress")

BODY: Shape = _texts(
    "firstName middleName lastName fullName accountAddress tenantId customNamespace provider ulNamespace gender"
    " nationality ip_address ssn stateLicenseId tin selfieContent gidName gidPhoto gidIdNumber gidCountry gidState"
    " gidGender bankAccount"
) | {
    "email": _like(r"[^@\s]+@[^@\s]+\.[^@\s.]+", "must be an e-mail address"),
    "phoneNumber": _like(r"[0-9]{7,15}", "must be digits only"),
    "dateOfBirth": day,
    "maritalStatus": text_or_list,
    "customerMetaData": free,
    "address": _texts("city state street address1 country postalCode isoCountryCode"),
    "lat_long": _texts("lat_long_data lat_long_country lat_long_city"),
    "tax": _texts("country idNumber state"),
    "governmentDocuments": [DOCUMENT],
    "passport": DOCUMENT,
    "others": _texts("stateIdLicense proofOfAddress alienIdCard"),
    "metroLocationDetails": _texts("shortName fullName code"),
    "additionalLatLong": _texts("lat long"),
    "additionalAddress": _texts("fullName nameISO3"),
    "geoLocationDetails": DEVICE,
    "metroAreaDetails": DEVICE,
    "countryDetails": DEVICE,
    "gidDOB": day,
    "gidIssueDate": day,
    "gidExpirationDate": day,
    "gidAddress": _texts("fullAddress"),
    "bankAccountDetails": _texts("bankName accountHolderName accountType"),
}

REQUIRED = ("firstName", "lastName", "email", "phoneNumber", "dateOfBirth", "address")
REQUIRED_ADDRESS = ("city", "state", "country", "postalCode", "isoCountryCode")


def complaints(body: Mapping[str, object]) -> list[dict[str, str]]:
    """What is wrong with `body`: the dotted path and a sentence that quotes the value, as real validators do."""
    found = [_missing(name) for name in REQUIRED if not body.get(name)]
    address = body.get("address")
    if isinstance(address, dict) and address:
        found += [_missing(f"address.{name}") for name in REQUIRED_ADDRESS if not address.get(name)]
        if not address.get("street") and not address.get("address1"):
            found.append(_missing("address.street"))
    return found + [{"field": path, "message": f"'{value}' {wrong}"} for path, value, wrong in _wrong(body, BODY, "")]


def paths(value: object, prefix: str = "") -> list[str]:
    """The dotted paths of all values in `value`, sorted; places in lists are numbers."""
    members: list[tuple[str, object]] = []
    if isinstance(value, dict):
        members = [(str(name), member) for name, member in value.items()]
    elif isinstance(value, list):
        members = [(str(place), member) for place, member in enumerate(value)]
    if not members:
        return [prefix] if prefix else []
    return sorted(path for name, member in members for path in paths(member, f"{prefix}.{name}" if prefix else name))


def _missing(path: str) -> dict[str, str]:
    return {"field": path, "message": "is required"}


def _wrong(value: object, shape: object, path: str) -> Iterator[tuple[str, object, str]]:
    if callable(shape):
        complaint = shape(value)
        if complaint is not None:
            yield path, value, complaint
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield path, value, "must be a list"
            return
        for place, item in enumerate(value):
            yield from _wrong(item, shape[0], f"{path}.{place}")
    elif isinstance(shape, Mapping):
        if not isinstance(value, dict):
            yield path, value, "must be an object"
            return
        for name in shape:
            if name in value:
                yield from _wrong(value[name], shape[name], f"{path}.{name}" if path else name)
