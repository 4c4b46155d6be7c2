"""The columns that most systems have, once: each system says how its own differ.

No system's input by itself. A column that only one system has is in that system's file.
"""

from schemas.column import given

EMAIL_SHAPE = (
    r"^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}][\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}]$"
)
"""Dot-atom, @, dotted domain whose last label is no number. Non-ASCII letters pass: the target decides about those."""

KEY_SHAPE = r"^[!-~]{6,100}$"
"""Printable ASCII without blanks, in the length that Eclipse takes (Customer Management page)."""

PHONE_SHAPE = r"^[1-9][0-9]{6,14}$"
"""Digits with country code, at most 15 as in E.164."""

IDENTITY_SHAPE = r"^[A-Za-z0-9]{5,20}$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
COUNTRY = r"^[A-Z]{2}$"
"""Two letters, ISO 3166-1."""

TRUTH = r"^(?:true|false)$"

ROW_REF = given(
    "row_ref",
    None,
    "The source's own stable key of the row; recommended, the keys are derived from it.",
    "CRM-000001",
    "reference",
    personal=False,
    longest=200,
)

EXTERNAL_UNIQUE_ID = given(
    "external_unique_id",
    None,
    "Key of the row in the ledger, 6 to 100 printable ASCII characters; derived when absent. Not sent.",
    "cust-000001",
    "key",
    aliases=("externalUniqueId",),
    personal=False,
    pattern=KEY_SHAPE,
)

FIRST_NAME = given("first_name", None, "Given name.", "Thandi", "name", required=True)
MIDDLE_NAME = given("middle_name", None, "Middle name.", "Grace", "name")
LAST_NAME = given("last_name", None, "Family name.", "Nkosi", "name", required=True)

PHONE = given("phone", None, "Mobile number in any spelling.", "0821234567", "phone", pattern=PHONE_SHAPE)
"""Each system says how it is sent."""

EMAIL = given(
    "email",
    None,
    "E-mail address.",
    "thandi.nkosi@example.com",
    "email",
    required=True,
    pattern=EMAIL_SHAPE,
    longest=254,
)

NATIONAL_ID = given(
    "national_id",
    None,
    "National identity number, 5 to 20 letters or digits. Not sent.",
    "9001015009086",
    "identity",
    pattern=IDENTITY_SHAPE,
)

DATE_OF_BIRTH = given(
    "date_of_birth", None, "Date of birth, yyyy-mm-dd, 1900 or later.", "1990-01-01", "date", pattern=DAY
)
