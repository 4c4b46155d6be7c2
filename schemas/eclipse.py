"""The input columns of Eclipse, as its pages give them (Customer Management, and observed optional fields)."""

import polars as pl

from schemas import usual
from schemas.column import Column, InputModel, Rule, given
from schemas.currencies import CURRENCIES
from schemas.eclipse_login import LOGIN
from schemas.usual import COUNTRY

CUSTOMER = (
    usual.ROW_REF,
    usual.EXTERNAL_UNIQUE_ID.at(
        "externalUniqueId",
        description="Idempotency key of the customer, 6 to 100 printable ASCII characters; derived when absent.",
    ),
    usual.FIRST_NAME.at("firstName", "firstName", advised=(2, 50)),
    usual.LAST_NAME.at("lastName", "lastName", advised=(2, 50)),
    usual.PHONE.at(
        "phone1",
        "phone1",
        required=True,
        description="Mobile number in any spelling; sent as digits with country code.",
    ),
    usual.EMAIL.at("email", advised=(10, 50)),
    usual.NATIONAL_ID.at(
        "nationalIdentityNumber",
        "nationalIdentityNumber",
        required=True,
        description="National identity number, 5 to 20 letters or digits; spaces and dashes are dropped, zeros kept.",
    ),
    given(
        "user_type_id",
        "userTypeId",
        "User type of the tenant's configuration; the setting applies when absent.",
        "1",
        "code",
        aliases=("userTypeId",),
        personal=False,
        pattern=r"^[0-9]{1,9}$",
    ),
    given(
        "wallet_type_id",
        None,
        "Wallet type to open, or several joined by `;`; the setting applies when absent.",
        "5001",
        "code",
        aliases=("walletTypeId",),
        personal=False,
        pattern=r"^[0-9]{1,9}(?:;[0-9]{1,9})*$",
    ),
    given(
        "currency",
        None,
        "Currency, ISO 4217: one, or one for each wallet joined by `;`; the setting applies when absent.",
        "ZAR",
        "code",
        personal=False,
        pattern=r"^[A-Z]{3}(?:;[A-Z]{3})*$",
        case="upper",
    ),
    usual.DATE_OF_BIRTH.at("dateOfBirth", "dateOfBirth"),
    given("gender", "gender", "M, F or O.", "F", "code", pattern=r"^[MFO]$", case="upper"),
    given(
        "marital_status",
        "maritalStatus",
        "S, M, D or W.",
        "S",
        "code",
        aliases=("maritalStatus",),
        pattern=r"^[SMDW]$",
        case="upper",
    ),
    given("title", "title", "Form of address in upper case, such as MR.", "MS", case="upper"),
    usual.MIDDLE_NAME.at("middleName", "middleName"),
    given("maiden_name", "maidenName", "Family name at birth.", "Dlamini", "name", aliases=("maidenName",)),
    given(
        "language",
        "language",
        "Language, two letters (ISO 639-1).",
        "en",
        "code",
        aliases=("locale",),
        personal=False,
        pattern=r"^[a-z]{2}$",
        case="lower",
    ),
    given("birth_city", "birthCity", "City of birth.", "Durban", aliases=("birthCity",), advised=(1, 20)),
    given(
        "birth_country",
        "birthCountry",
        "Country of birth, two letters (ISO 3166-1).",
        "ZA",
        "code",
        aliases=("birthCountry",),
        pattern=COUNTRY,
        case="upper",
    ),
    given(
        "country_of_residence",
        "countryOfResidence",
        "Country of residence, two letters (ISO 3166-1).",
        "ZA",
        "code",
        aliases=("countryOfResidence",),
        personal=False,
        pattern=COUNTRY,
        case="upper",
    ),
    given(
        "passport_number",
        "passportNumber",
        "Passport number, beside the identity number.",
        "A01234567",
        aliases=("passportNumber",),
    ),
    given(
        "asylum_ref_number",
        "asylumRefNumber",
        "Reference of an asylum seeker's permit, beside the identity number.",
        "ZAPTA000123456",
        aliases=("asylumRefNumber",),
        advised=(5, 15),
    ),
    given("industry", "industry", "Industry that the customer works in.", "Retail", personal=False),
)

ADDRESS = (
    given(
        "address_type",
        None,
        "Kind of the address, in the words of the tenant's configuration; required with an address.",
        "RESIDENTIAL",
    ),
    given(
        "address_line1",
        None,
        "First line of the address; required with an address. It is added before KYC.",
        "12 Church Street",
    ),
    given("address_line2", None, "Second line.", "Unit 4"),
    given("address_city", None, "City.", "Durban"),
    given("address_state", None, "State or province.", "KwaZulu-Natal"),
    given("address_code", None, "Postal code.", "4001"),
    given("address_country", None, "Country, two letters (ISO 3166-1).", "ZA", "code", pattern=COUNTRY, case="upper"),
)

DOCUMENTS = (
    given(
        "id_front_file",
        None,
        "Front of the identity document: a JPEG, PNG or PDF file, relative to the input's folder.",
        kind="file",
    ),
    given("id_back_file", None, "The back of the identity document.", kind="file"),
    given("passport_file", None, "The page of the passport with the photo.", kind="file"),
    given("selfie_file", None, "A photo of the face.", kind="file"),
    given("proof_of_address_file", None, "A proof of the address, such as a bill.", kind="file"),
)

ECLIPSE: tuple[Column, ...] = (*CUSTOMER, *ADDRESS, *DOCUMENTS)
"""In the order of documents and of the accepted frame."""


def _named_once(column: str) -> pl.Expr:
    """Whether a list joined by `;` names nothing twice; true where there is none."""
    named = pl.col(column).str.split(";")
    return (named.list.n_unique() == named.list.len()).fill_null(value=True)


def _currencies() -> pl.Expr:
    """Real ones, and one for all wallets or one for each."""
    named = pl.col("currency").str.split(";")
    known = named.list.eval(pl.element().is_in(sorted(CURRENCIES))).list.all()
    wallets = pl.col("wallet_type_id").str.split(";").list.len().fill_null(1)
    return (known & ((named.list.len() == 1) | (named.list.len() == wallets))).fill_null(value=True)


def _with_address(column: str) -> pl.Expr:
    """Whether `column` is there, where any part of an address is."""
    return pl.col(column).is_not_null() | pl.all_horizontal(pl.col(part.name).is_null() for part in ADDRESS)


RULES = (
    Rule("value_invalid:wallet_type_id", _named_once("wallet_type_id")),
    Rule("value_invalid:currency", _currencies()),
    Rule("missing:address_type", _with_address("address_type")),
    Rule("missing:address_line1", _with_address("address_line1")),
)

INPUT = InputModel((*ECLIPSE, *LOGIN), rules=RULES)
