"""What arrived, in what order, and what it changed: the independent witness of a test.

Entries are numbered in order of arrival. A commit gets its own number at the moment when the change is visible to
other calls, before any byte of the reply leaves. No personal values: only the names of query parameters, keys and ids.
"""

from dataclasses import dataclass

from jobs.sandbox.clock import Clock, iso


@dataclass(slots=True)
class Entry:
    """One arrival. Names that the vendor uses too are spelled the vendor's way in JSON."""

    n: int
    monotonic: float
    wall: float
    method: str
    system: str
    query: list[str]
    operation: str = "unknown"
    credential: str | None = None
    customer_id: int | str | None = None
    wallet_id: int | None = None
    external_unique_id: str | None = None
    commit: int | None = None
    committed_monotonic: float | None = None
    status: int | None = None
    """None: not answered yet, or ended without a status line."""
    delivered: str | None = None
    """None: open; `full`: every byte was handed to an open socket; `part`; `none`."""
    faults: tuple[str, ...] = ()
    body_sha256: str | None = None
    """Of the request's body, so that two calls can be told to be one and the same; None: it had none."""

    def as_json(self) -> dict[str, object]:
        """The entry as `GET /__sandbox/journal` shows it."""
        return {
            "n": self.n,
            "monotonic": self.monotonic,
            "wall": iso(self.wall),
            "method": self.method,
            "system": self.system,
            "operation": self.operation,
            "query": self.query,
            "status": self.status,
            "committed": self.commit is not None,
            "commit": self.commit,
            "committedMonotonic": self.committed_monotonic,
            "customerId": self.customer_id,
            "walletId": self.wallet_id,
            "externalUniqueId": self.external_unique_id,
            "credential": self.credential,
            "fault": ",".join(self.faults) or None,
            "delivered": self.delivered,
            "bodySha256": self.body_sha256,
        }


class Journal:
    """The arrivals since the last reset."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._commits = 0

    def arrival(self, method: str, system: str, query: list[str]) -> Entry:
        """Opens the entry of a request whose head has just been read."""
        clock = self._clock
        entry = Entry(len(self._entries) + 1, clock.monotonic(), clock.now(), method, system, query)
        self._entries.append(entry)
        return entry

    def commit(self, entry: Entry) -> None:
        """Numbers the change that `entry` made. To be called in the same step as the change."""
        self._commits += 1
        entry.commit = self._commits
        entry.committed_monotonic = self._clock.monotonic()

    def after(self, n: int, limit: int | None = None) -> list[dict[str, object]]:
        """Entries with a number above `n`, oldest first, at most `limit`."""
        start = max(0, n)
        end = None if limit is None else start + limit
        return [entry.as_json() for entry in self._entries[start:end]]

    def __len__(self) -> int:
        return len(self._entries)
