"""ed25519 signatures over `manifest.json`, optional: they need the library `cryptography` (extra `sign`).

A signature says who sealed the run; what the manifest lists is for `verify.py`.
"""

from pathlib import Path

from jobs.errors import Unusable
from jobs.evidence.manifest import MANIFEST, SIGNATURE, Sign

HINT = "pip install 'muster-onboarding[sign]'"


def signer(pem: str) -> Sign:
    """Signs with the private key in `pem` (PKCS 8, without a passphrase). Raises `Unusable`."""
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
    return key.sign


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
