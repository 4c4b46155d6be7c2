"""The members of an address: which column is which, whether two addresses are one, an address with the row's members.

Nothing here reads, sends or judges.
"""

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from jobs.systems.blink.bank import Record
from jobs.systems.json_reply import text_of
from jobs.systems.row import Row

PLACE = {
    "street": "streetName",
    "building_number": "buildingNumber",
    "postal_code": "postCode",
    "town": "townName",
    "country": "country",
}
"""Canonical column to the member of `physicalAddress`. They are one unit: an absent one takes the bank's away."""

_PHYSICAL, _NAME = ("postalAddress", "physicalAddress"), ("postalAddress", "name")

POSTAL = {
    "care_of": (*_PHYSICAL, "careOf"),
    "attention_of": (*_PHYSICAL, "toTheAttentionOf"),
    "post_box": (*_PHYSICAL, "postBox"),
    "address_suffix": (*_PHYSICAL, "addressSuffix"),
    "country_subdivision": (*_PHYSICAL, "countrySubDivision"),
    "organisation_name": (*_NAME, "organisationName"),
    "address_given_name": (*_NAME, "givenName"),
    "address_middle_name": (*_NAME, "middleName"),
    "address_last_name": (*_NAME, "lastName"),
    "address_name_suffix": (*_NAME, "nameSuffix"),
}
"""Column to where its member stands in an address. Each is a unit of its own: an absent one leaves the bank's alone."""

NEW = {"address_name": ("addressName",), "mailing_instruction": ("mailingInstruction",)}
"""What the specification has of a new address alone: it is neither changed nor, as a rule, shown afterwards."""

USE = {
    "dispatch_type": ("dispatchType",),
    "is_domicile": ("isDomicile",),
    "is_mailing_address": ("isMailingAddress",),
    "address_language": ("language",),
}
"""What the specification has of an address that is there, and not of a new one."""

DETAILS = POSTAL | NEW | USE
ADDRESS = (*PLACE, *DETAILS)
"""All columns of an address."""

SECOND = "second_"
"""What the columns of a second address begin with."""

SECOND_ADDRESS = (*PLACE, *POSTAL, *NEW)
"""Its columns, without SECOND: what a new address may have."""

_TRUTH = {"true": True, "false": False}


def wanted_of(row: Row, prefix: str = "") -> dict[str, str]:
    """The row's address by column, or with SECOND its second one; empty: it has none."""
    columns = SECOND_ADDRESS if prefix else ADDRESS
    return {column: text for column in columns if (text := row.get(prefix + column))}


def place_of(address: Record) -> dict[str, str]:
    """The members of PLACE that an address shows, by column; the specification lists some one level too high."""
    postal = address.get("postalAddress")
    postal = postal if isinstance(postal, dict) else {}
    physical = postal.get("physicalAddress")
    nested = {**postal, **(physical if isinstance(physical, dict) else {})}
    return {column: text for column, member in PLACE.items() if (text := text_of(nested, member))}


def detail_of(address: Record, column: str) -> str | None:
    """The member of one of DETAILS as text, true or false too; None when the address shows none."""
    *above, last = DETAILS[column]
    found: Any = address
    for name in above:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None
    value = found.get(last)
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else text_of(found, last)


def comparable(place: Mapping[str, str]) -> tuple[str, ...]:
    """What of a place counts: no capitals, single blanks; street and number are one, however they are split."""
    street = f"{place.get('street', '')} {place.get('building_number', '')}"
    return tuple(
        text_folded(part) for part in (street, *(place.get(each, "") for each in ("postal_code", "town", "country")))
    )


def text_folded(text: str) -> str:
    """A text as it is compared."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def agrees(address: Record, wanted: Mapping[str, str], besides: Collection[str] = ()) -> bool:
    """Whether an address is as the row says it; a member of NEW is only asked for where it is shown.

    `besides`: columns that don't count.
    """
    if comparable(place_of(address)) != comparable(wanted):
        return False
    asked = {column: text for column, text in wanted.items() if column in DETAILS and column not in besides}
    shown = {column: detail_of(address, column) for column in asked}
    return all(
        (shown[column] is None and column in NEW) or text_folded(shown[column] or "") == text_folded(text)
        for column, text in asked.items()
    )


def changed(address: Record, wanted: Mapping[str, str]) -> dict[str, Any]:
    """The whole address as it was shown, with the row's members in the place of the bank's."""
    shown = address.get("postalAddress")
    postal: dict[str, Any] = dict(shown) if isinstance(shown, dict) else {}
    physical = postal.get("physicalAddress")
    physical = physical if isinstance(physical, dict) else {}
    rest = {name: value for name, value in physical.items() if name not in PLACE.values()}
    ours = {PLACE[column]: text for column, text in wanted.items() if column in PLACE}
    above = {name: ours[name] for name in ours if name in postal}
    postal = {name: value for name, value in postal.items() if name not in PLACE.values()}
    whole = {"salutation": {}, **postal, **above, "physicalAddress": {**rest, **ours}}
    made = {"dispatchType": "postal", **address, "postalAddress": whole}
    for column in wanted:
        if column in POSTAL or column in USE or (column in NEW and NEW[column][0] in address):
            _put(made, DETAILS[column], wanted[column])
    return made


def new(wanted: Mapping[str, str]) -> dict[str, Any]:
    """A new address: what the specification has of one."""
    made: dict[str, Any] = {"postalAddress": changed({}, wanted)["postalAddress"]}
    for column in NEW:
        if column in wanted:
            _put(made, NEW[column], wanted[column])
    return made


def _put(address: dict[str, Any], path: tuple[str, ...], text: str) -> None:
    """Puts a member in its place; what is shown above it is copied, never written into."""
    *above, last = path
    at = address
    for name in above:
        inside = at.get(name)
        at[name] = dict(inside) if isinstance(inside, dict) else {}
        at = at[name]
    at[last] = _TRUTH[text] if last in {"isDomicile", "isMailingAddress"} else text
