"""RSA keys in PEM: signing a login challenge, encrypting what only one person may read.

The one module that does so; it needs the library `cryptography` (extra `sign`). Where keys come from: `settings.py`.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.errors import Unusable

HINT = "pip install 'muster-onboarding[sign]'"

SMALLEST_KEY = 2048
"""Bits; shorter RSA keys are disallowed by NIST SP 800-131A."""


def signed(challenge: str, pem: str) -> str:
    """The signature of the challenge's text, in base64: RSA, PKCS#1 v1.5, SHA-256. Raises Unusable.

    Scheme: chosen; the vendor names RSA-4096 keys and no scheme.
    """
    library = _library()
    try:
        key = library.serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, library.rsa.RSAPrivateKey):
        raise Unusable("the private key is no RSA key in PEM without a pass phrase", hint="set MUSTER_PRIVATE_KEY_FILE")
    made = key.sign(challenge.encode(), library.padding.PKCS1v15(), library.hashes.SHA256())
    return base64.b64encode(made).decode()


def encryptor(public_key: Path) -> Callable[[str, bytes], str]:
    """Encrypts a short text (100 bytes at least) so that the private key alone opens it, and with the same label alone.

    RSA-OAEP with SHA-256 and that label, in base64. Raises Unusable when `public_key` is no RSA public key in PEM, or
    too short a one.
    """
    library = _library()
    try:
        key = library.serialization.load_pem_public_key(public_key.read_bytes())
    except OSError as error:
        raise Unusable(f"{public_key} can't be read: {error.strerror}") from error
    except ValueError:
        key = None
    if not isinstance(key, library.rsa.RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise Unusable(
            f"{public_key} is no RSA public key in PEM of {SMALLEST_KEY} bits or more",
            hint="openssl pkey -in PRIVATE.pem -pubout -out PUBLIC.pem",
        )
    hashes, padding = library.hashes, library.padding

    def encrypted(text: str, label: bytes) -> str:
        scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)
        return base64.b64encode(key.encrypt(text.encode(), scheme)).decode()

    return encrypted


class _Library:
    """The parts of `cryptography` that are used here."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        self.hashes: Any = hashes
        self.serialization: Any = serialization
        self.padding: Any = padding
        self.rsa: Any = rsa


def _library() -> _Library:
    try:
        return _Library()
    except ImportError:
        raise Unusable("the library that works with keys is not installed", hint=HINT) from None
