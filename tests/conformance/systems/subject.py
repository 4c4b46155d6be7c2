"""A system as the battery sees it: rows, settings, what is counted at its stand-in. Entries are in `subjects.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.flow.people import Row


@dataclass(frozen=True)
class Counts:
    """What the target holds. `doubles`: records that say once more what another one says already."""

    records: int
    doubles: int


class Target(Protocol):
    """A stand-in of one system, and the independent witness of what arrived there."""

    @property
    def base_url(self) -> str:
        """What muster is given."""
        ...

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """All calls in order of arrival, from number `after` + 1 on: `method`, `operation`, `status`, `monotonic`."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """What is stored."""
        ...

    def plant(self, **record: Any) -> object:
        """Stores a record past all rules."""
        ...

    def amend(self, kind: str, name: str, **changes: Any) -> None:
        """Changes, or with `deleted=True` deletes, a stored record."""
        ...


def nothing(target: Target, number: int, last_name: str) -> None:
    """Most systems need no preparation of a row."""


@dataclass(frozen=True)
class Subject:
    """One system. `ends` is what it promises: an item of the battery, and how that ends there."""

    name: str
    row: Callable[[int, str], Row]
    """Row `number` of a person with that last name; valid, and different from every other number's."""
    environment: Mapping[str, str]
    """MUSTER_ variables beside system and base URL: tenant, credential, region."""
    write: str
    """The operation of a row's first write."""
    counts: Callable[[dict[str, Any]], Counts]
    """Of a snapshot: records of rows, not what was there from the start."""
    ends: Mapping[str, str]
    refusal: Callable[[str], object] = lambda words: {"message": words}
    """The body of a 400 that says `words`."""
    settings: str = "settle_seconds = 0.4"
    """The system's table in muster.toml; waits scaled."""
    setting: str = "settle_seconds"
    """The name of one of its settings."""
    more: Callable[[int], Row] = lambda _: {}
    """Further personal values of row `number`, with writes of their own."""
    prepare: Callable[[Target, int, str], None] = nothing
    """Puts at the target what must be there before row `number` can be run."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Documents that rows name."""
    switches: Mapping[str, Any] = field(default_factory=dict)
    """Of the stand-in."""
    orders: tuple[str, ...] = ()
    """The orders in which the stand-in can list; empty: it lists nothing, or as it likes."""
    repeating: str = ""
    """The system's table with which a lost write is sent again; empty: with the usual one."""
    otherwise: str = ""
    """The system's table with other values of all that the first write is made of."""
    stranger_answers: tuple[int, Callable[[Mapping[str, str]], object]] = (200, dict)
    """The status and the body of an answer to the first write that is about the customer of a row of outcome.csv."""
    patches: Mapping[str, object] = field(default_factory=dict)
    """What of the program is scaled besides, by dotted name."""
    secrets: tuple[str, ...] = ()
    """What must never be left or said, beside tokens that the target gave."""
    waits: tuple[str, str] | None = None
    """Last name of a row that waits for a decision, and the settings for it; None: nothing is decided."""
    decide: Callable[[Target, Row], None] | None = None
    """Decides well about a row of outcome.csv; None: nothing can."""
    change: Callable[[Target, Row], None] | None = None
    """Changes the record of a row of outcome.csv; None: nothing shows it."""
    delete: Callable[[Target, Row], None] | None = None
    respell: Callable[[Target, Row, Row], None] | None = None
    """Spells what the target has of (row of the file, row of outcome.csv) otherwise; None: nothing shows it."""
    spelt: Callable[[Target, Row], Row] | None = None
    """Puts the person of a row there in another spelling, past all rules; the row to be run. None: nobody is found."""
    spelt_answer: tuple[int, Callable[[Row], object]] | None = None
    """The answer to the first write of a row that repeats its values in another spelling."""
    find: Callable[[Row, Row], tuple[str, str]] | None = None
    """The options of `muster lookup` for (row of the file, row of outcome.csv); None: nobody is found."""
    stranger: str = "eclipse"
    """A system whose files lack columns that this one asks for."""
    harmless: frozenset[str] = frozenset()
    """Operations that change nothing though they are no GET: logins, queries."""
    handle: Callable[[Mapping[str, Any]], str] = lambda call: str(call["customerId"])
    """The `customer_id` of the customer that a call of the journal is about."""
