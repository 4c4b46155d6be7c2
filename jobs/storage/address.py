"""Where an object lies: `s3://bucket/key`, `gs://bucket/key`, `az://container/key`, `https://host/path` (to be read).

Settings and arguments are paths, and a path makes one slash of two: `s3:/bucket/key` is the same address.
"""

import re
from dataclasses import replace
from pathlib import Path

from jobs.errors import Unusable
from jobs.value import value

_ADDRESS = re.compile(r"(s3|gs|az|https|http):/{1,2}([^/?#]+)/*(.*)", re.DOTALL)


@value
class Address:
    """An object, or all whose keys begin with `key` and a slash. `place`: a bucket, a container, or a host."""

    scheme: str
    place: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}{f'/{self.key}' if self.key else ''}"

    def __truediv__(self, name: str) -> "Address":
        return replace(self, key=f"{self.key}/{name}" if self.key else name)

    @property
    def above(self) -> "Address":
        """What it lies in."""
        return replace(self, key=self.key.rpartition("/")[0])

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]


def is_address(text: Path | str) -> bool:
    """Whether `text` names an object and no file here."""
    return _ADDRESS.match(str(text)) is not None


def address_of(text: Path | str) -> Address:
    """The address that `text` is. Raises Unusable, without repeating what may be a secret in it."""
    found = _ADDRESS.fullmatch(str(text))
    if found is None:
        raise Unusable("that is no address of an object", hint="s3://BUCKET/KEY")
    scheme, place, key = found.groups()
    if "@" in place:
        raise Unusable("a user or a password in an address is shown to everybody on this machine", hint="leave it out")
    if scheme.startswith("http") and re.search("[?#]", key):
        raise Unusable(
            f"the query of {scheme}://{place}/{re.split('[?#]', key)[0]} is a secret, and arguments are shown to "
            "everybody on this machine",
            hint="give the address without it, and what stands behind the ? in MUSTER_INPUT_QUERY",
        )
    if scheme == "http" and place.partition(":")[0] not in {"127.0.0.1", "localhost"}:
        raise Unusable(f"http://{place} would show personal data to the network", hint="https")
    return Address(scheme, place, key.rstrip("/"))


def named(place: Path | str) -> str:
    """A place as ledger, reports and messages have it: an address with its two slashes, a path as it is."""
    return str(address_of(place)) if is_address(place) else str(place)
