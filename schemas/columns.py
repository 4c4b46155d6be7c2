"""The input columns of each system: one table that headers, rules, requests, masks and documents are made from.

It says what a column is; whether a value fits is `schemas/customers.py`. A new system is one more entry of `COLUMNS`.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "text", "phone", "email", "identity", "key", "reference", "date", "code"]

REFUSAL: dict[Kind, str] = {
    "name": "name_invalid",
    "text": "value_invalid",
    "phone": "phone_invalid",
    "email": "email_invalid",
    "identity": "national_id_invalid",
    "key": "key_invalid",
    "reference": "key_invalid",
    "date": "date_invalid",
    "code": "value_invalid",
}
"""The reason code of a value whose shape is wrong, by kind of column."""

EMAIL = (
    r"^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}][\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}]$"
)
"""Dot-atom, @, dotted domain whose last label is no number. Non-ASCII letters pass: the target decides about those."""

RESERVED = ("_reasons", "_surplus")
"""Columns that `quarantine.csv` adds; in an input they are muster's own and not echoed."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input column.

    `api` is the field of the target's request (None: not sent in the customer's request). `pattern` is the shape of the
    normalised value, in the syntax that Rust, JSON Schema and Python's `regex` share (None: no more than its kind asks). `longest` is in characters (None: as long as a field may be).
    `advised` is (shortest, longest) in characters as only other vendor pages give it: outside is a warning, never a refusal.
    """

    name: str
    api: str | None
    aliases: tuple[str, ...]
    required: bool
    personal: bool
    description: str
    kind: Kind = "text"
    pattern: str | None = None
    longest: int | None = None
    advised: tuple[int, int] | None = None
    case: Literal["upper", "lower"] | None = None
    example: str = ""

    @property
    def refusal(self) -> str:
        """`code:column` of a value whose shape is wrong."""
        return f"{REFUSAL[self.kind]}:{self.name}"


_ECLIPSE = (
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
        "externalUniqueId",
        ("externalUniqueId",),
        required=False,
        personal=False,
        description="Idempotency key of the customer, 6 to 100 printable ASCII characters; derived when absent.",
        kind="key",
        pattern=r"^[!-~]{6,100}$",
        example="cust-000001",
    ),
    Column(
        "first_name",
        "firstName",
        ("firstName",),
        required=True,
        personal=True,
        description="Given name.",
        kind="name",
        advised=(2, 50),
        example="Thandi",
    ),
    Column(
        "last_name",
        "lastName",
        ("lastName",),
        required=True,
        personal=True,
        description="Family name.",
        kind="name",
        advised=(2, 50),
        example="Nkosi",
    ),
    Column(
        "phone",
        "phone1",
        ("phone1",),
        required=True,
        personal=True,
        description="Mobile number in any spelling; sent as digits with country code.",
        kind="phone",
        pattern=r"^[1-9][0-9]{6,14}$",
        example="0821234567",
    ),
    Column(
        "email",
        "email",
        (),
        required=True,
        personal=True,
        description="E-mail address.",
        kind="email",
        pattern=EMAIL,
        longest=254,
        advised=(10, 50),
        example="thandi.nkosi@example.com",
    ),
    Column(
        "national_id",
        "nationalIdentityNumber",
        ("nationalIdentityNumber",),
        required=True,
        personal=True,
        description="National identity number, 5 to 20 letters or digits; spaces and dashes are dropped, zeros kept.",
        kind="identity",
        pattern=r"^[A-Za-z0-9]{5,20}$",
        example="9001015009086",
    ),
    Column(
        "user_type_id",
        "userTypeId",
        ("userTypeId",),
        required=False,
        personal=False,
        description="User type of the tenant's configuration; the setting applies when absent.",
        kind="code",
        pattern=r"^[0-9]{1,9}$",
        example="1",
    ),
    Column(
        "wallet_type_id",
        None,
        ("walletTypeId",),
        required=False,
        personal=False,
        description="Wallet type to open; the first one allowed when absent.",
        kind="code",
        pattern=r"^[0-9]{1,9}$",
        example="5001",
    ),
    Column(
        "currency",
        None,
        (),
        required=False,
        personal=False,
        description="Currency of the wallet, ISO 4217; the setting applies when absent.",
        kind="code",
        pattern=r"^[A-Z]{3}$",
        case="upper",
        example="ZAR",
    ),
    Column(
        "date_of_birth",
        "dateOfBirth",
        ("dateOfBirth",),
        required=False,
        personal=True,
        description="Date of birth, yyyy-mm-dd, 1900 or later.",
        kind="date",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        example="1990-01-01",
    ),
    Column(
        "gender",
        "gender",
        (),
        required=False,
        personal=True,
        description="M, F or O.",
        kind="code",
        pattern=r"^[MFO]$",
        case="upper",
        example="F",
    ),
    Column(
        "marital_status",
        "maritalStatus",
        ("maritalStatus",),
        required=False,
        personal=True,
        description="S, M, D or W.",
        kind="code",
        pattern=r"^[SMDW]$",
        case="upper",
        example="S",
    ),
    Column(
        "title",
        "title",
        (),
        required=False,
        personal=True,
        description="Form of address in upper case, such as MR.",
        case="upper",
        example="MS",
    ),
    Column(
        "middle_name",
        "middleName",
        ("middleName",),
        required=False,
        personal=True,
        description="Middle name.",
        kind="name",
        example="Grace",
    ),
    Column(
        "maiden_name",
        "maidenName",
        ("maidenName",),
        required=False,
        personal=True,
        description="Family name at birth.",
        kind="name",
        example="Dlamini",
    ),
    Column(
        "language",
        "language",
        ("locale",),
        required=False,
        personal=False,
        description="Language, two letters (ISO 639-1).",
        kind="code",
        pattern=r"^[a-z]{2}$",
        case="lower",
        example="en",
    ),
    Column(
        "birth_city",
        "birthCity",
        ("birthCity",),
        required=False,
        personal=True,
        description="City of birth.",
        advised=(1, 20),
        example="Durban",
    ),
    Column(
        "birth_country",
        "birthCountry",
        ("birthCountry",),
        required=False,
        personal=True,
        description="Country of birth, two letters (ISO 3166-1).",
        kind="code",
        pattern=r"^[A-Z]{2}$",
        case="upper",
        example="ZA",
    ),
    Column(
        "country_of_residence",
        "countryOfResidence",
        ("countryOfResidence",),
        required=False,
        personal=False,
        description="Country of residence, two letters (ISO 3166-1).",
        kind="code",
        pattern=r"^[A-Z]{2}$",
        case="upper",
        example="ZA",
    ),
    Column(
        "passport_number",
        "passportNumber",
        ("passportNumber",),
        required=False,
        personal=True,
        description="Passport number, beside the identity number.",
        example="A01234567",
    ),
    Column(
        "industry",
        "industry",
        (),
        required=False,
        personal=False,
        description="Industry that the customer works in.",
        example="Retail",
    ),
)

COLUMNS: dict[str, tuple[Column, ...]] = {"eclipse": _ECLIPSE}
"""The columns of each system, in the order of documents and of the accepted frame."""


def folded(header: str) -> str:
    """`header` as headers are compared: without case, spaces, dashes, underscores, dots and invisible characters."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return "".join(sign for sign in text if sign not in "-_." and unicodedata.category(sign)[0] not in "CZ")


def spellings(columns: Iterable[Column]) -> dict[str, str]:
    """Folded spelling -> column name, for the names, the target's fields and the aliases of `columns`."""
    return {folded(spelling): column.name for column in columns for spelling in (column.name, *column.aliases)}


def columns_of(system: str) -> tuple[Column, ...]:
    """The columns of `system`. Raises KeyError for a system without an entry."""
    return COLUMNS[system]
