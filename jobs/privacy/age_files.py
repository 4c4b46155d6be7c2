"""Files that only the holder of a key reads: encrypted with age (age-encryption.org) to a public key, `age1…`.

The extra `encrypt`. age seals a file as a whole, in chunks that are numbered and authenticated: lines can't be swapped,
taken out or put in, and `age --decrypt -i KEY FILE` says so.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

from jobs.atomic import atomic
from jobs.errors import Unusable

ENDING = ".age"

_SHAPE = re.compile(r"age1[02-9ac-hj-np-z]{58}")


def age_key(text: str) -> str:
    """A public key of age. Raises ValueError with the words for what is allowed."""
    if not _SHAPE.fullmatch(text):
        raise ValueError("a public key of age: age1 and 58 characters, as age-keygen prints it")
    return text


def refuse_unusable(key: str | None) -> None:
    """Raises Unusable when files shall be encrypted to `key`, and can't: nothing was written yet. None: they shan't."""
    if key is None:
        return
    try:
        pyrage = _library()
    except ImportError:
        hint = "pip install 'muster-onboarding[encrypt]'"
        raise Unusable("--recipient is given, and the library that encrypts is not installed", hint=hint) from None
    try:
        pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        raise Unusable("--recipient is no public key of age", hint="age-keygen -y KEY") from None


def encrypt(plain: Path, target: Path, key: str) -> None:
    """Writes `target` (0600, whole or absent), and removes `plain`, which lies where files on the way do."""
    pyrage = _library()
    with atomic(target) as draft:
        pyrage.encrypt_file(str(plain), str(draft), [pyrage.x25519.Recipient.from_str(key)])
    plain.unlink()


def encrypted(plain: bytes, key: str) -> bytes:
    """The content of a file that says `plain` to the holder of the key alone."""
    pyrage = _library()
    return bytes(pyrage.encrypt(plain, [pyrage.x25519.Recipient.from_str(key)]))


def _library() -> Any:
    return import_module("pyrage")
