"""The input columns of bLink: which customer of the bank is meant, and what its contacts and address shall be.

`api` is the member of the OpenWealth specification 1.2.1. No column creates a customer, because bLink can't.
"""

from typing import Any

import polars as pl

from schemas.column import Column, InputModel, Kind, Rule
from schemas.eclipse import EMAIL

IDENTIFICATION = r"^[!-~]*[A-Za-z0-9][!-~]*$"
"""Printable ASCII without blanks, and not dots alone, which mean something else in a path (chosen)."""

LONGEST_TEXT = 35
"""Characters of identifications and of the texts of an address."""

LONGEST_CONTACT = 70
PLACE = ("street", "building_number", "postal_code", "town", "country")
NEEDED_PLACE = ("postal_code", "town", "country")


def _given(name: str, api: str | None, description: str, example: str, kind: Kind = "text", **more: Any) -> Column:
    """A column that may be empty; personal unless `more` says otherwise."""
    told: dict[str, Any] = {"aliases": (), "required": False, "personal": True} | more
    return Column(name, api, description=description, example=example, kind=kind, **told)


def _identification(name: str, api: str, aliases: tuple[str, ...], description: str, example: str) -> Column:
    return _given(
        name,
        api,
        description,
        example,
        "code",
        aliases=aliases,
        personal=False,
        pattern=IDENTIFICATION,
        longest=LONGEST_TEXT,
    )


BLINK: tuple[Column, ...] = (
    _given(
        "row_ref",
        None,
        "The source's own stable key of the row; recommended, the keys are derived from it. Not sent.",
        "CRM-000001",
        "reference",
        personal=False,
        longest=200,
    ),
    _given(
        "external_unique_id",
        None,
        "Our own key of the row, 6 to 100 printable ASCII characters; derived when absent. Not sent.",
        "cust-000001",
        "key",
        aliases=("externalUniqueId",),
        personal=False,
        pattern=r"^[!-~]{6,100}$",
    ),
    _identification(
        "bank_customer_id",
        "customerIdentification",
        ("customerIdentification", "customerId"),
        "The bank's identification of the customer; this or external_reference is needed.",
        "C-0001",
    ),
    _given(
        "external_reference",
        "externalReference",
        "The reference that the bank keeps for the customer; alone it must lead to exactly one.",
        "X-0001",
        "reference",
        aliases=("externalReference",),
        personal=False,
        longest=LONGEST_TEXT,
    ),
    _identification(
        "bank_person_id",
        "personIdentification",
        ("personIdentification", "personId"),
        "The bank's identification of the person whose contacts are given; needed with email or phone.",
        "P-0001",
    ),
    _given(
        "email",
        "contactContent",
        "E-mail address that the person shall have; added when it is missing.",
        "anna.meier@example.com",
        "email",
        pattern=EMAIL,
        longest=LONGEST_CONTACT,
    ),
    _given(
        "phone",
        "contactContent",
        "Mobile number that the person shall have, in any spelling; sent as + and digits.",
        "+41791234567",
        "phone",
        pattern=r"^[1-9][0-9]{6,14}$",
    ),
    _given(
        "street",
        "streetName",
        "Street of the customer's address; may hold the number too.",
        "Bahnhofstrasse",
        aliases=("streetName",),
        longest=LONGEST_TEXT,
    ),
    _given(
        "building_number",
        "buildingNumber",
        "Number of the building.",
        "1",
        aliases=("buildingNumber",),
        longest=LONGEST_TEXT,
    ),
    _given(
        "postal_code",
        "postCode",
        "Postal code; needed with an address.",
        "8001",
        aliases=("postCode",),
        longest=LONGEST_TEXT,
    ),
    _given("town", "townName", "Town; needed with an address.", "Zürich", aliases=("townName",), longest=LONGEST_TEXT),
    _given(
        "country",
        "country",
        "Country, two letters (ISO 3166-1); needed with an address.",
        "CH",
        "code",
        pattern=r"^[A-Z]{2}$",
        case="upper",
    ),
    _given(
        "national_id",
        None,
        "National identity number. Not sent, and not looked for.",
        "",
        "identity",
        pattern=r"^[A-Za-z0-9]{5,20}$",
    ),
)
"""In the order of documents and of the accepted frame."""


def _any(*names: str) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_not_null() for name in names)


INPUT = InputModel(
    BLINK,
    seeds=("row_ref", "bank_customer_id", "external_reference"),
    distinct=("external_unique_id", "bank_customer_id", "external_reference", "bank_person_id"),
    needs=(("bank_customer_id", "external_reference"),),
    rules=(
        Rule("missing:bank_customer_id", _any("bank_customer_id", "external_reference")),
        Rule("missing:bank_person_id", pl.col("bank_person_id").is_not_null() | ~_any("email", "phone")),
        *(Rule(f"missing:{name}", pl.col(name).is_not_null() | ~_any(*PLACE)) for name in NEEDED_PLACE),
    ),
)
