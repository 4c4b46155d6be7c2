"""ed25519 signatures over `manifest.json`, optional: they need the library `cryptography` (extra `sign`).

A signature says who sealed the run; what the manifest lists is for `verify.py`.
"""

import base64
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from jobs.errors import Unusable
from jobs.evidence.manifest import MANIFEST, SIGNATURE, SIGNED_WITH, Signer, earlier_manifests

SECONDS = 60
"""Chosen: a key service that is far away answers within some seconds."""

SIGNATURE_BYTES = 64
"""Of an ed25519 signature (RFC 8032)."""

BY_COMMAND = "MUSTER_SIGNING_COMMAND reads the bytes from stdin and writes the ed25519 signature to stdout"

HINT = "pip install 'muster-onboarding[sign]'"


def signer(pem: str) -> Signer:
    """Signs with the private key in `pem` (PKCS 8, without a passphrase). Raises `Unusable`."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    except ImportError:
        raise Unusable("a signing key is given, and the library that signs is not installed", hint=HINT) from None
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unusable("the signing key is no ed25519 key in PEM", hint="openssl genpkey -algorithm ed25519 -out FILE")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Signer(public.decode(), key.sign)


def command_signer(command: str, public_key: Path) -> Signer:
    """Signs by a program: it reads the bytes from stdin and writes the signature, raw or in base64, to stdout.

    It is tried at once. Raises `Unusable` when it fails, or signs with another key than `public_key` (PEM).
    """
    pem = public_key_of(public_key)

    def sign(content: bytes) -> bytes:
        try:
            made = subprocess.run(  # noqa: S603 - the operator's own program
                shlex.split(command), input=content, capture_output=True, timeout=SECONDS, check=True
            ).stdout
            found = made if len(made) == SIGNATURE_BYTES else base64.b64decode(made.strip())
            _loaded(pem).verify(found, content)
        except _invalid() as error:
            raise Unusable(
                f"the signing command gave no signature of its public key ({type(error).__name__})"
            ) from None
        except (OSError, subprocess.SubprocessError) as error:
            raise Unusable(f"the signing command failed ({type(error).__name__})", hint=BY_COMMAND) from None
        return found

    sign(b"muster")
    return Signer(pem.decode(), sign)


def new_key() -> tuple[bytes, bytes]:
    """A new private key and its public half, in PEM. Raises `Unusable` without the library."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
    except ImportError:
        raise Unusable("the library that makes keys is not installed", hint=HINT) from None
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), public


def public_key_of(path: Path) -> bytes:
    """The public key in `path`, as PEM. Raises `Unusable` when it is none."""
    try:
        content = path.read_bytes()
        _loaded(content)
    except (OSError, ValueError, TypeError):
        hint = "openssl pkey -in KEY -pubout -out FILE"
        raise Unusable(f"{path} is no ed25519 public key in PEM", hint=hint) from None
    return content


def signature_problems(folder: Path, public_keys: Sequence[bytes] | None = None) -> list[str]:
    """What is wrong with the signatures of the manifests that `folder` has and had. Raises `Unusable`.

    Each has to be made by one of `public_keys` (PEM), and the newest has to be there. None: by the key that the
    manifest itself names; one that names none is left out.
    """
    if not (folder / MANIFEST).is_file():
        return []
    found = list(_problems(folder, MANIFEST, public_keys))
    if public_keys is not None and not (folder / SIGNATURE).is_file():
        found = [f"{SIGNATURE} is missing: the run was not signed"]
    for entry in earlier_manifests(folder):
        found += _problems(folder, entry["name"], public_keys)
    return found


def _problems(folder: Path, name: str, public_keys: Sequence[bytes] | None) -> Iterator[str]:
    manifest, signature = folder / name, folder / f"{name}.sig"
    if not manifest.is_file():
        return
    own = _named(manifest)
    if not signature.is_file():
        if own is not None:
            yield f"{signature.name} is missing: {name} was signed"
        return
    keys = public_keys if public_keys is not None else [own] if own is not None else None
    if keys is not None and not any(_made_by(key, signature, manifest) for key in keys):
        yield f"{signature.name} was not made by that key over this {name}"


def _named(manifest: Path) -> bytes | None:
    """The key that a manifest says it is signed with; None: it says none."""
    try:
        named = orjson.loads(manifest.read_bytes()).get(SIGNED_WITH)
    except (ValueError, AttributeError):
        return None
    return named.encode() if isinstance(named, str) else None


def _made_by(public_key: bytes, signature: Path, manifest: Path) -> bool:
    try:
        _loaded(public_key).verify(signature.read_bytes(), manifest.read_bytes())
    except _invalid():
        return False
    return True


def verifies(public_key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the ed25519 key `public_key` (PEM) made `signature` over `content`. Raises `Unusable` without library."""
    try:
        _loaded(public_key).verify(signature, content)
    except _invalid():
        return False
    return True


def _invalid() -> tuple[type[Exception], ...]:
    from cryptography.exceptions import InvalidSignature

    return (InvalidSignature, ValueError, TypeError)


def _loaded(pem: bytes) -> Any:
    """The key in `pem`. Raises ValueError or TypeError when it is no ed25519 public key, Unusable without library."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise Unusable("the library that checks signatures is not installed", hint=HINT) from None
    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("no ed25519 key")
    return key
