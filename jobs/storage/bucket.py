"""A bucket as the house uses it, whoever keeps it; what it refuses, in words."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from jobs.errors import MusterError, NotPermitted, Unreachable, Unusable
from jobs.storage.address import Address
from jobs.storage.retention import Retention
from jobs.value import value

ATTEMPTS = 5
"""How often a request is sent before it is given up (chosen; the libraries wait longer each time)."""

SECONDS = 60.0
"""How long an answer may take (chosen)."""

CONNECT_SECONDS = 10.0
"""How long a connection may take (chosen)."""


CREDENTIALS = frozenset(
    {
        "CredentialRetrievalError",
        "ExpiredToken",
        "NoCredentialsError",
        "PartialCredentialsError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
"""What libraries call a credential that is missing, or over; answers with 401 and 403 need no word."""


@value
class Seen:
    """An object as a bucket showed it. `etag` changes when the content does; `version` None: none are kept."""

    size: int
    etag: str
    version: str | None = None


@value
class Locked:
    """A version of an object that can't be removed. `until` None: somebody holds it until they say otherwise."""

    name: str
    mode: str
    until: datetime | None


class Absent(Unusable):
    """There is no such object, or no such bucket."""


class Taken(Unusable):
    """The object is there already, or is not the one any more that was to be replaced."""


class Bucket(Protocol):
    """All objects below one address. Names are relative to it. Every method raises what `refused` says, and Absent."""

    def seen(self) -> Mapping[str, Seen]:
        """All that is there."""

    def get(self, name: str, to: Path) -> Seen:
        """Writes the content to the new file `to` (0600)."""

    def put(self, name: str, content: Path, *, instead_of: str | None = None, retention: Retention | None) -> str:
        """Makes the object whole or not at all; its etag. Raises Taken.

        `instead_of`: the etag of the object that it replaces; None: there is none, and none is replaced.
        """

    def remove(self, name: str) -> None:
        """The object is not shown any more; one that is absent is none."""

    def refuse_unlockable(self) -> None:
        """Raises Unusable where objects can't be locked."""

    def unlocked(self, name: str, retention: Retention) -> str | None:
        """What is missing of `retention` at an object; None: nothing."""

    def locked(self, now: datetime) -> list[Locked]:
        """Every version of every object that can't be removed at `now`."""

    def remove_old(self, spared: re.Pattern[str]) -> bool:
        """Removes all versions that are not shown any more, but of objects whose whole name is `spared`.

        False: this bucket does not tell which there are.
        """


def opened(address: Address) -> Bucket:
    """The objects below `address`. Raises Unusable where the library is not installed."""
    if address.scheme == "s3":
        from jobs.storage.s3 import S3

        return S3(address)
    if address.scheme in {"gs", "az"}:
        from jobs.storage.other_clouds import OtherCloud

        return OtherCloud(address)
    raise Unusable(f"{address} can only be read", hint="s3://BUCKET/KEY, gs://BUCKET/KEY or az://CONTAINER/KEY")


@contextmanager
def library(name: str) -> Iterator[None]:
    """A block that imports a library of the extra `cloud`. Raises Unusable without it."""
    try:
        yield
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != name:
            raise
        hint = "pip install 'muster-onboarding[cloud]'"
        raise Unusable(f"addresses in a cloud need {name}, which is not installed", hint=hint) from None


def refused(where: str, status: int | None, code: str) -> MusterError:
    """What an answer without success means. `status` None: there was no answer. `code`: the library's word for it."""
    if status in {401, 403} or code in CREDENTIALS:
        return NotPermitted(f"the credential may not use {where} ({code})", hint="look at its policy, and at its name")
    if status == 404:
        return Absent(f"there is no {where} ({code})")
    if status in {409, 412}:
        return Taken(f"{where} is there already, or was changed by somebody else ({code})")
    if status is None or status >= 500 or status == 429:
        return Unreachable(f"{where} can't be reached ({code})", hint="try again later")
    return Unusable(f"{where} was refused ({code})")
