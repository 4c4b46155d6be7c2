"""The input columns of bLink: which customer of the bank is meant, and what its contacts and address shall be.

`api` is the member of the OpenWealth specification 1.2.1. No column creates a customer, because bLink can't.
"""

import polars as pl

from schemas import usual
from schemas.column import Column, InputModel, Rule, given

IDENTIFICATION = r"^[!-~]*[A-Za-z0-9][!-~]*$"
"""Printable ASCII without blanks, and not dots alone, which mean something else in a path (chosen)."""

LONGEST_TEXT = 35
"""Characters of identifications and of the texts of an address."""

LONGEST_CONTACT = 70
PLACE = ("street", "building_number", "postal_code", "town", "country")
NEEDED_PLACE = ("postal_code", "town", "country")


def _identification(name: str, api: str, aliases: tuple[str, ...], description: str, example: str) -> Column:
    return given(
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
    usual.ROW_REF.at(None, description=f"{usual.ROW_REF.description} Not sent."),
    usual.EXTERNAL_UNIQUE_ID.at(
        None,
        description="Our own key of the row, 6 to 100 printable ASCII characters; derived when absent. Not sent.",
    ),
    _identification(
        "bank_customer_id",
        "customerIdentification",
        ("customerIdentification", "customerId"),
        "The bank's identification of the customer; this or external_reference is needed.",
        "C-0001",
    ),
    given(
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
    usual.EMAIL.at(
        "contactContent",
        required=False,
        description="E-mail address that the person shall have; added when it is missing.",
        longest=LONGEST_CONTACT,
        example="anna.meier@example.com",
    ),
    usual.PHONE.at(
        "contactContent",
        description="Mobile number that the person shall have, in any spelling; sent as + and digits.",
        example="+41791234567",
    ),
    given(
        "street",
        "streetName",
        "Street of the customer's address; may hold the number too.",
        "Bahnhofstrasse",
        aliases=("streetName",),
        longest=LONGEST_TEXT,
    ),
    given(
        "building_number",
        "buildingNumber",
        "Number of the building.",
        "1",
        aliases=("buildingNumber",),
        longest=LONGEST_TEXT,
    ),
    given(
        "postal_code",
        "postCode",
        "Postal code; needed with an address.",
        "8001",
        aliases=("postCode",),
        longest=LONGEST_TEXT,
    ),
    given("town", "townName", "Town; needed with an address.", "Zürich", aliases=("townName",), longest=LONGEST_TEXT),
    given(
        "country",
        "country",
        "Country, two letters (ISO 3166-1); needed with an address.",
        "CH",
        "code",
        pattern=usual.COUNTRY,
        case="upper",
    ),
    usual.NATIONAL_ID.at(None, description="National identity number. Not sent, and not looked for.", example=""),
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
