"""The keyed pseudonyms of a ledger, and where their key is: in MUSTER_PSEUDONYM_KEY, or in a file beside the ledger."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from jobs.atomic import atomic
from jobs.disk import advice
from jobs.errors import Unusable
from jobs.keys import Pseudonyms
from jobs.ledger.place import Place, place_of
from jobs.privacy.secret_file import refuse_foreign
from jobs.settings.secrets import secret

KEYLESS = (
    "a ledger on a server needs MUSTER_PSEUDONYM_KEY, or MUSTER_PSEUDONYM_KEY_FILE, the same on each machine and for"
    " ever; the first one: openssl rand -hex 32"
)
"""A file beside a ledger that many machines use would be another one on each."""


def pseudonyms_of(ledger: str, *, make: bool = False) -> Pseudonyms:
    """The keyed HMACs of the ledger with the URL `ledger`; `make`: with a new key, where there is none.

    Raises Unusable.
    """
    return Pseudonyms(pseudonym_key(place_of(ledger), make=make))


def key_is_there(ledger: str) -> bool:
    """Says whether the key of the ledger with the URL `ledger` is given, or lies in its place."""
    if secret("pseudonym_key") is not None:
        return True
    file = place_of(ledger).key_file
    return file is not None and file.exists()


def pseudonym_key(ledger: Place, environ: Mapping[str, str] | None = None, *, make: bool = False) -> bytes:
    """The key of the ledger's HMACs: MUSTER_PSEUDONYM_KEY, or a 0600 file beside the ledger. Raises Unusable.

    `make`: the ledger has not used one yet, so that it is made when there is none.
    """
    given = secret("pseudonym_key", environ)
    if given is not None:
        if len(given) < 16:
            raise Unusable("MUSTER_PSEUDONYM_KEY is shorter than 16 characters")
        return given.encode()
    path = ledger.key_file
    if path is None:
        raise Unusable(f"the key of the pseudonyms of {ledger} is not given", hint=KEYLESS)
    try:
        if make and not path.exists():
            _make_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Unusable(f"others may read {path}, the key of the ledger's pseudonyms", hint=f"chmod 600 {path}")
        refuse_foreign(path, path.stat(), "the key of the ledger's pseudonyms")
        content = path.read_bytes().strip()
    except FileNotFoundError:
        raise Unusable(
            f"{path}, the key of the ledger's pseudonyms, is missing: with another one every row would seem changed",
            hint=f"restore {path} from where the ledger was, or from a backup, or give MUSTER_PSEUDONYM_KEY",
        ) from None
    except OSError as error:
        hint = advice(path.parent, error.errno)
        raise Unusable(f"{path} can't be read or made: {error.strerror}", hint=hint) from error
    if len(content) < 32:
        raise Unusable(
            f"{path} is damaged: it must hold the 64 hex digits it was made with",
            hint=f"restore {path} from a backup, or give MUSTER_PSEUDONYM_KEY",
        )
    return content


def _make_key(path: Path) -> None:
    """A new key, there as a whole or not at all: half a key after a crash would lock everybody out."""
    with atomic(path, first=True) as draft:
        draft.write_bytes(os.urandom(32).hex().encode() + b"\n")
