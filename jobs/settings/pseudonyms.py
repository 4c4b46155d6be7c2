"""The keyed pseudonyms of a ledger, and where their key is: in MUSTER_PSEUDONYM_KEY, or in a file beside the ledger."""

from jobs.keys import Pseudonyms
from jobs.ledger.names import key_file
from jobs.ledger.sqlite import path_of
from jobs.settings.settings import pseudonym_key, secret


def pseudonyms_of(ledger: str, *, make: bool = False) -> Pseudonyms:
    """The keyed HMACs of the ledger with the URL `ledger`; `make`: with a new key, where there is none.

    Raises Unusable.
    """
    return Pseudonyms(pseudonym_key(path_of(ledger), make=make))


def key_is_there(ledger: str) -> bool:
    """Says whether the key of the ledger with the URL `ledger` is given, or lies in its place."""
    return secret("pseudonym_key") is not None or key_file(path_of(ledger)).exists()
