"""The columns of a customer's login at Eclipse (Customer Management page, self-registration, step 4).

They stand in the input of customers as well, so that one file can be registered and onboarded.
"""

from schemas.column import Column

SHAPE = r"^\S[^\p{C}]{1,78}\S$"
"""Of a password: 3 to 80 characters, the vendor's limits, without blanks at the ends."""

LOGIN: tuple[Column, ...] = (
    Column(
        "identity",
        None,
        (),
        required=False,
        personal=True,
        description="Login name, 3 to 40 characters without blanks; needed by `muster register`, not sent otherwise.",
        kind="code",
        pattern=r"^[^\s\p{C}]{3,40}$",
        example="thandi.nkosi",
    ),
    Column(
        "password",
        None,
        (),
        required=False,
        personal=True,
        description="Of the login, 3 to 80 characters, clear or BCrypt; generated when absent, not sent otherwise.",
        kind="code",
        pattern=SHAPE,
        secret=True,
        example="Choose-0ne-for-each",
    ),
    Column(
        "totp_enabled",
        None,
        ("totpEnabled",),
        required=False,
        personal=False,
        description="true when the login asks for a one-time password; not sent otherwise.",
        kind="code",
        pattern=r"^(?:true|false)$",
        case="lower",
        example="false",
    ),
    Column(
        "public_key",
        None,
        ("base64EncodedPublicKey",),
        required=False,
        personal=False,
        description="RSA public key of the login, base64 of DER, 100 to 2000 characters; not sent otherwise.",
        kind="code",
        pattern=r"^[A-Za-z0-9+/=]{100,2000}$",
        example="MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" + "A" * 72,
    ),
)
