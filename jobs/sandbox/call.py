"""One call as a system sees it, and who and what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from jobs.sandbox.journal import Entry, Journal


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a call is about, for fault rules and the journal; None where it can't be known."""

    operation: str
    credential: str | None = None
    customer_id: int | str | None = None
    customer_key: str | None = None
    """`externalUniqueId` of the customer named in the path."""
    sent_key: str | None = None
    """`externalUniqueId` in the body."""
    last_name: str | None = None


@dataclass(slots=True)
class Call:
    """A request below the system's prefix. `segments` are the decoded parts of the path."""

    method: str
    segments: list[str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    address: str
    """IP address of the client."""
    entry: Entry
    journal: Journal
    pairs: tuple[tuple[str, str], ...] = ()
    """The query as it came: a name may stand there more than once."""
    _json: object = field(default=..., repr=False)

    def json(self) -> object:
        """The body as JSON, parsed once; None when it is not JSON."""
        if self._json is ...:
            try:
                self._json = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                self._json = None
        return self._json

    @property
    def bearer(self) -> str:
        """The token of an `Authorization: Bearer` header, the scheme spelt so; empty when there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else ""

    def commit(self, *, customer_id: int | str | None = None, wallet_id: int | None = None) -> None:
        """Records that the call has changed the system's records just now."""
        if customer_id is not None:
            self.entry.customer_id = customer_id
        self.entry.wallet_id = wallet_id
        self.journal.commit(self.entry)
