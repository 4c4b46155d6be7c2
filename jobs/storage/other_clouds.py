"""Google Cloud Storage and Azure Blob Storage, through obstore: whose chains of credentials these are.

Locks and earlier versions are not seen here: `object_lock` is refused, and an erasure says what may be left.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.errors import Unusable
from jobs.storage.address import Address
from jobs.storage.bucket import ATTEMPTS, CONNECT_SECONDS, SECONDS, Absent, Locked, Seen, library, refused
from jobs.storage.retention import Retention
from jobs.storage.written import written

_STATUS = {
    "NotFoundError": 404,
    "AlreadyExistsError": 409,
    "PreconditionError": 412,
    "PermissionDeniedError": 403,
    "UnauthenticatedError": 401,
    "GenericError": None,
}
"""What errors of obstore are in HTTP; of those that are not here no waiting helps."""


CLIENT: Any = {
    "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
    "read_timeout": timedelta(seconds=SECONDS),
    "timeout": timedelta(hours=6),
}
"""Of connections: the last one is for a whole object, which may be large (chosen)."""


class OtherCloud:
    """As `Bucket`."""

    def __init__(self, address: Address) -> None:
        with library("obstore"):
            from obstore.store import from_url
        self.address = address
        with self._asking(str(address)):
            self._store = from_url(
                str(address),
                client_options=CLIENT,
                retry_config={"max_retries": ATTEMPTS, "retry_timeout": timedelta(seconds=SECONDS)},
            )

    def seen(self) -> Mapping[str, Seen]:
        """As `Bucket.seen`."""
        import obstore

        with self._asking(str(self.address)):
            found = [each for page in obstore.list(self._store) for each in page]
        return {each["path"]: Seen(each["size"], _etag(each)) for each in found}

    def get(self, name: str, to: Path) -> Seen:
        """As `Bucket.get`."""
        import obstore

        with self._asking(str(self.address / name) if name else str(self.address)):
            answer = obstore.get(self._store, name)
            written(to, (bytes(each) for each in answer.stream()))
            meta = answer.meta
        return Seen(meta["size"], _etag(meta), meta["version"])

    def put(self, name: str, content: Path, *, instead_of: str | None = None, retention: Retention | None) -> str:
        """As `Bucket.put`."""
        import obstore

        if retention is not None:
            self.refuse_unlockable()
        where = str(self.address / name)
        with self._asking(where):
            if instead_of is None:
                return _etag(obstore.put(self._store, name, content, mode="create"))
            known = obstore.head(self._store, name)
            if _etag(known) != instead_of:
                raise refused(where, 412, "PreconditionError")
            only: Any = {part: known[part] for part in ("e_tag", "version") if known[part] is not None}
            return _etag(obstore.put(self._store, name, content, mode=only))

    def remove(self, name: str) -> None:
        """As `Bucket.remove`."""
        import obstore

        with suppress(Absent), self._asking(str(self.address / name)):
            obstore.delete(self._store, name)

    def refuse_unlockable(self) -> None:
        """As `Bucket.refuse_unlockable`: always."""
        raise Unusable(
            "object_lock is for s3:// only", hint="lock the bucket itself, with a retention policy of its own"
        )

    def unlocked(self, name: str, retention: Retention) -> str | None:  # noqa: ARG002 - a bucket's signature
        """As `Bucket.unlocked`."""
        return "nothing is known of its lock"

    def locked(self, now: datetime) -> list[Locked]:  # noqa: ARG002 - likewise
        """As `Bucket.locked`: what is known of it, which is nothing."""
        return []

    def remove_old(self, spared: re.Pattern[str]) -> bool:  # noqa: ARG002 - likewise
        """As `Bucket.remove_old`: False."""
        return False

    @contextmanager
    def _asking(self, where: str) -> Iterator[None]:
        """A block of requests. Raises what `refused` says of the library's errors."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            name = "NotFoundError" if isinstance(error, FileNotFoundError) else type(error).__name__
            status = re.search(r"status code: (\d{3})", str(error)) if name == "GenericError" else None
            raise refused(where, int(status[1]) if status else _STATUS.get(name, 400), name) from None


def _etag(of: Mapping[str, Any]) -> str:
    """The etag of an object, or of an answer to a put: Azure lists it without the quotation marks that it has else."""
    return str(of["e_tag"] or "").strip('"')
