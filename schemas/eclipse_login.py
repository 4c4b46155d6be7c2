"""The columns of a customer's login at Eclipse (Customer Management page, self-registration, step 4).

They stand in the input of customers as well, so that one file can be registered and onboarded.
"""

from schemas import usual
from schemas.column import Column, given

SHAPE = r"^\S[^\p{C}]{1,78}\S$"
"""Of a password: 3 to 80 characters, the vendor's limits, without blanks at the ends."""

LOGIN: tuple[Column, ...] = (
    given(
        "identity",
        None,
        "Login name, 3 to 40 characters without blanks; needed by `muster register`, not sent otherwise.",
        "thandi.nkosi",
        "code",
        pattern=r"^[^\s\p{C}]{3,40}$",
    ),
    given(
        "password",
        None,
        "Of the login, 3 to 80 characters, clear or BCrypt; generated when absent, not sent otherwise.",
        "Choose-0ne-for-each",
        "code",
        pattern=SHAPE,
        secret=True,
    ),
    given(
        "totp_enabled",
        None,
        "true when the login asks for a one-time password; not sent otherwise.",
        "false",
        "code",
        aliases=("totpEnabled",),
        personal=False,
        pattern=usual.TRUTH,
        case="lower",
    ),
    given(
        "public_key",
        None,
        "RSA public key of the login, base64 of DER, 100 to 2000 characters; not sent otherwise.",
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" + "A" * 72,
        "code",
        aliases=("base64EncodedPublicKey",),
        personal=False,
        pattern=r"^[A-Za-z0-9+/=]{100,2000}$",
    ),
)
