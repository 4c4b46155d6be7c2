"""The bodies that Eclipse accepts: required and optional members with their checks."""

from jobs.sandbox.eclipse import passwords
from jobs.sandbox.eclipse.checks import Form, boolean, exactly, integer, pattern, text
from jobs.sandbox.eclipse.currencies import currency
from jobs.sandbox.eclipse.kyc import KNOWN_CHECKS

POSITIONS = frozenset({"TENANT_SYSTEM", "ONBOARDING", *(f"LEVEL_{level:02d}" for level in range(1, 21))})


def positions(value: object) -> str | None:
    """A list of the positions that the page names."""
    fits = isinstance(value, list) and value and all(isinstance(item, str) and item in POSITIONS for item in value)
    return None if fits else "must be a list of TENANT_SYSTEM, LEVEL_01 to LEVEL_20, ONBOARDING"


def checks_to_run(value: object) -> str | None:
    """A list of check names."""
    fits = isinstance(value, list) and all(isinstance(item, str) and item in KNOWN_CHECKS for item in value)
    return None if fits else "must be a list of known checks"


def password(value: object) -> str | None:
    """3 to 80 characters, in clear or as a BCrypt hash that can be compared in a reasonable time."""
    if isinstance(value, str) and passwords.too_costly(value):
        return f"must have a BCrypt cost of at most {passwords.COST}"
    return text(3, 80)(value)


KEY = text(6, 100)
"""Length: another vendor page. The Customer Management page only asks for a unique UUID."""
PHONE = pattern(r"[1-9][0-9]{6,14}", "must be digits only with the country code first, without +")
"""Digits only: the page. 7 to 15 digits and no leading zero: E.164 (chosen)."""
EMAIL = pattern(r"[^@\s]+@[^@\s]+", "is not an e-mail address")
IDENTITY = text(3, 40)
ANY = text()

PERSONAL = (
    *("title", "middleName", "maidenName", "dateOfBirth", "gender", "maritalStatus", "locale", "language"),
    *("birthCity", "birthCountry", "countryOfResidence", "industry", "additionalIdentity", "status"),
    *("passportNumber", "passportIssuingCountry", "passportIssueDate", "passportExpiry"),
    *("asylumRefNumber", "asylumIssueDate", "asylumExpiry"),
)
"""Optional members of a customer; names of the vendor's other pages, partly as client code has them."""

CUSTOMER = Form(
    required={
        "firstName": ANY,
        "lastName": ANY,
        "phone1": PHONE,
        "email": EMAIL,
        "nationalIdentityNumber": ANY,
        "userTypeId": integer,
        "externalUniqueId": KEY,
        "version": exactly(0),
    },
    optional=dict.fromkeys(PERSONAL, ANY),
)

CUSTOMER_VENDOR = CUSTOMER.with_rules(
    {
        "firstName": text(2, 50),
        "lastName": text(2, 50),
        "email": pattern(r"(?=.{10,50}$)[^@\s]+@[^@\s]+", "must be an e-mail address of 10 to 50 characters"),
        "dateOfBirth": pattern(r"[0-9]{8}", "must be yyyyMMdd"),
        "gender": pattern("[MFO]", "must be M, F or O"),
        "maritalStatus": pattern("[SMDW]", "must be S, M, D or W"),
        "locale": text(2, 2),
        "language": text(2, 2),
        "birthCity": text(1, 20),
        "birthCountry": pattern("[A-Z]{2}", "must be an ISO 3166 code of two letters"),
        "asylumRefNumber": text(5, 15),
        "asylumIssueDate": pattern(r"[0-9]{8}", "must be yyyyMMdd"),
        "asylumExpiry": pattern(r"[0-9]{8}", "must be yyyyMMdd"),
        "additionalIdentity": text(5, 20),
    }
)
"""With the lengths and enumerations of the vendor's other pages."""

WALLET = Form(
    required={
        "walletTypeId": integer,
        "currency": currency,
        "status": exactly("ACTIVE"),
        "externalUniqueId": KEY,
        "version": exactly(0),
    },
    optional={"name": text(3, 50), "description": text(0, 200)},
)

LOGIN = Form(
    required={"identity": IDENTITY},
    optional={
        "password": text(3, 80),
        "challenge": text(44, 44),
        "signature": text(1, 2000),
        "totp": pattern("[0-9]{6}", "must be six digits"),
    },
)
CHALLENGE = Form(required={"identity": IDENTITY}, optional={})
NEW_IDENTITY = Form(
    required={"identity": IDENTITY, "password": password},
    optional={"totpEnabled": boolean, "base64EncodedPublicKey": text(100, 2000)},
)
RENEWAL = Form(required={"jwt": ANY}, optional={})
RATIFICATION = Form(
    required={},
    optional={"type": pattern("NORMAL|COMPARISON", "must be NORMAL or COMPARISON"), "checksToRun": checks_to_run},
)
ADMIN_USER = Form(
    required={
        "firstName": ANY,
        "lastName": ANY,
        "email": EMAIL,
        "phone1": PHONE,
        "identity": IDENTITY,
        "password": password,
        "positions": positions,
    },
    optional={},
)
ADDRESS = Form(
    required={"addressType": ANY, "line1": ANY},
    optional={
        **dict.fromkeys(("line2", "city", "state", "code"), ANY),
        "country": pattern("[A-Z]{2}", "must be an ISO 3166 code of two letters"),
    },
)
"""Members: client code. Which of them are required, and the spelling of a country: chosen."""
DOCUMENT = Form(
    required={
        "base64EncodedDocument": ANY,
        "documentType": pattern(
            "NATIONAL_IDENTITY|BACK_OF_NATIONAL_IDENTITY|PASSPORT|FACIAL_PHOTO|PROOF_OF_ADDRESS|AUTO",
            "is not a type of document for onboarding",
        ),
        "mediaType": pattern(
            "image/jpeg|image/png|application/pdf", "must be image/jpeg, image/png or application/pdf"
        ),
    },
    optional={},
)
