"""The input columns of Azakaw, as its page Customer Profile Management gives them."""

import polars as pl

from schemas.column import Column, InputModel, Rule
from schemas.eclipse import EMAIL

AZAKAW: tuple[Column, ...] = (
    Column(
        "row_ref",
        None,
        (),
        required=False,
        personal=False,
        description="The source's own stable key of the row; recommended, the keys are derived from it.",
        kind="reference",
        longest=200,
        example="CRM-000001",
    ),
    Column(
        "external_unique_id",
        None,
        ("externalUniqueId",),
        required=False,
        personal=False,
        description="Key of the row in the ledger, 6 to 100 printable ASCII characters; derived when absent. Not sent.",
        kind="key",
        pattern=r"^[!-~]{6,100}$",
        example="cust-000001",
    ),
    Column(
        "customer_kind",
        "userType",
        ("userType", "customerType"),
        required=True,
        personal=False,
        description="individual or legal; it chooses the form and which names are sent.",
        kind="code",
        pattern=r"^(?:individual|legal)$",
        case="lower",
        example="individual",
    ),
    Column(
        "email",
        "customerEmail",
        ("customerEmail",),
        required=True,
        personal=True,
        description="E-mail address, the customer's unique identifier at Azakaw; sent in small letters.",
        kind="email",
        pattern=EMAIL,
        longest=254,
        case="lower",
        example="thandi.nkosi@example.com",
    ),
    Column(
        "first_name",
        "individualCustomer.firstName",
        ("firstName",),
        required=False,
        personal=True,
        description="Given name; individuals need it.",
        kind="name",
        example="Thandi",
    ),
    Column(
        "last_name",
        "individualCustomer.lastName",
        ("lastName",),
        required=False,
        personal=True,
        description="Family name; individuals need it.",
        kind="name",
        example="Nkosi",
    ),
    Column(
        "legal_name",
        "legalEntityCustomer.fullName",
        ("fullName", "full_name", "company_name"),
        required=False,
        personal=True,
        description="Full name of a legal entity; legal rows need it.",
        kind="name",
        example="Nkosi Trading Ltd",
    ),
    Column(
        "registration_number",
        "legalEntityCustomer.registrationNumber",
        ("registrationNumber",),
        required=False,
        personal=True,
        description="Registration number of a legal entity; legal rows need it.",
        longest=100,
        example="2021/123456/07",
    ),
    Column(
        "trading_name",
        "legalEntityCustomer.tradingName",
        ("tradingName",),
        required=False,
        personal=True,
        description="Trading name of a legal entity.",
        kind="name",
        example="Nkosi Traders",
    ),
    Column(
        "phone",
        "customerMobileNumber",
        ("customerMobileNumber", "mobile"),
        required=False,
        personal=True,
        description="Mobile number in any spelling; sent with + and country code.",
        kind="phone",
        pattern=r"^[1-9][0-9]{6,14}$",
        example="0821234567",
    ),
    Column(
        "national_id",
        None,
        (),
        required=False,
        personal=True,
        description="National identity number, 5 to 20 letters or digits. Not sent.",
        kind="identity",
        pattern=r"^[A-Za-z0-9]{5,20}$",
        example="9001015009086",
    ),
)
"""In the order of documents and of the accepted frame."""


def needed(kind: str, column: str) -> Rule:
    """Rows of `kind` have `column`."""
    other = pl.col("customer_kind").ne_missing(kind)
    return Rule(f"missing:{column}", other | pl.col(column).is_not_null())


INPUT = InputModel(
    AZAKAW,
    seeds=("row_ref", "email"),
    distinct=("external_unique_id", "email"),
    rules=(
        needed("individual", "first_name"),
        needed("individual", "last_name"),
        needed("legal", "legal_name"),
        needed("legal", "registration_number"),
    ),
)
"""Which members a legal entity must have the page shows by its samples only; trading names are optional (chosen)."""
