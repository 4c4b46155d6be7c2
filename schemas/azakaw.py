"""The input columns of Azakaw, as its page Customer Profile Management gives them."""

import polars as pl

from schemas import usual
from schemas.column import Column, InputModel, Rule, given

AZAKAW: tuple[Column, ...] = (
    usual.ROW_REF,
    usual.EXTERNAL_UNIQUE_ID,
    given(
        "customer_kind",
        "userType",
        "individual or legal; it chooses the form and which names are sent.",
        "individual",
        "code",
        aliases=("userType", "customerType"),
        required=True,
        personal=False,
        pattern=r"^(?:individual|legal)$",
        case="lower",
    ),
    usual.EMAIL.at(
        "customerEmail",
        "customerEmail",
        description="E-mail address, the customer's unique identifier at Azakaw; sent in small letters.",
        case="lower",
    ),
    usual.FIRST_NAME.at(
        "individualCustomer.firstName", "firstName", required=False, description="Given name; individuals need it."
    ),
    usual.LAST_NAME.at(
        "individualCustomer.lastName", "lastName", required=False, description="Family name; individuals need it."
    ),
    given(
        "legal_name",
        "legalEntityCustomer.fullName",
        "Full name of a legal entity; legal rows need it.",
        "Nkosi Trading Ltd",
        "name",
        aliases=("fullName", "full_name", "company_name"),
    ),
    given(
        "registration_number",
        "legalEntityCustomer.registrationNumber",
        "Registration number of a legal entity; legal rows need it.",
        "2021/123456/07",
        aliases=("registrationNumber",),
        longest=100,
    ),
    given(
        "trading_name",
        "legalEntityCustomer.tradingName",
        "Trading name of a legal entity.",
        "Nkosi Traders",
        "name",
        aliases=("tradingName",),
    ),
    usual.PHONE.at(
        "customerMobileNumber",
        "customerMobileNumber",
        "mobile",
        description="Mobile number in any spelling; sent with + and country code.",
    ),
    usual.NATIONAL_ID,
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
