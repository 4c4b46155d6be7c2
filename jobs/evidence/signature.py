"""ed25519 signatures over `manifest.json`, optional: they need the library `cryptography` (extra `sign`).

A signature says who sealed the run; what the manifest lists is for `verify.py`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import Unusable
from jobs.evidence.manifest import MANIFEST, SIGNATURE, Sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HINT = "pip install 'muster-onboarding[sign]'"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature and the key that it is checked with, both in hex."""

    signature: str
    public_key: str


def signer(pem: str) -> Sign:
    """Signs with the private key in `pem` (PKCS 8, without a passphrase). Raises `Unusable`."""
    return _private_key(pem).sign


def signed(pem: str) -> tuple[str, Callable[[bytes], Signed]]:
    """The fingerprint of the key in `pem`, and what signs with it. Raises `Unusable`."""
    key = _private_key(pem)
    public = key.public_key().public_bytes_raw()
    return fingerprint(public), lambda content: Signed(key.sign(content).hex(), public.hex())


def signed_by(document: Mapping[str, Any], content: bytes) -> str | None:
    """The fingerprint of the key that signed `content` as `document` says; None: unsigned, or the signature is wrong.

    Raises `Unusable` where the library that checks it is not installed.
    """
    if "signature" not in document:
        return None
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise Unusable("the library that checks signatures is not installed", hint=HINT) from None
    try:
        public = bytes.fromhex(str(document["public_key"]))
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(str(document["signature"])), content)
    except (InvalidSignature, ValueError, KeyError):
        return None
    return fingerprint(public)


def fingerprint(public_key: bytes) -> str:
    """How an ed25519 key is named: `ed25519:` and the first 16 hex digits of its SHA-256."""
    return f"ed25519:{hashlib.sha256(public_key).hexdigest()[:16]}"


def _private_key(pem: str) -> "Ed25519PrivateKey":
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise Unusable("a signing key is given, and the library that signs is not installed", hint=HINT) from None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unusable("the signing key is no ed25519 key in PEM", hint="openssl genpkey -algorithm ed25519 -out FILE")
    return key


def signature_problems(folder: Path, public_key: Path) -> list[str]:
    """What is wrong with the signature of `folder`; empty when `public_key` (PEM) made it. Raises `Unusable`."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise Unusable("the library that checks signatures is not installed", hint=HINT) from None
    try:
        key = load_pem_public_key(public_key.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Unusable(f"{public_key} is no ed25519 public key in PEM", hint="openssl pkey -in KEY -pubout -out FILE")
    try:
        key.verify((folder / SIGNATURE).read_bytes(), (folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return [f"{SIGNATURE} is missing: the run was not signed"]
    except InvalidSignature:
        return [f"{SIGNATURE} was not made by that key over this {MANIFEST}"]
    return []
