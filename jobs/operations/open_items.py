"""What is still open over all runs of a tenant, by cause, age and owner, and with what each goes on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from jobs.clock import Clock, milliseconds
from jobs.errors import ExitCode
from jobs.ledger.dispositions import Disposition, Dispositions, dispositions
from jobs.ledger.lease import working
from jobs.ledger.open_rows import OpenRow, Standing, of_newest_key, standings, still_open
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import RESUMABLE, Outcome
from jobs.reports.next_steps import Ended, NextStep, next_steps
from jobs.value import value

OWNERS: dict[str, str] = {
    Outcome.QUARANTINED: "sender",
    Outcome.REJECTED: "sender",
    Outcome.CONFLICT: "back office",
    Outcome.IN_DOUBT: "back office",
    Outcome.DECLINED: "compliance",
    Outcome.NOT_ELIGIBLE: "target",
    Outcome.PENDING: "target",
    Outcome.FAILED: "operations",
    Outcome.NOT_ATTEMPTED: "operations",
}
"""Who usually has to act; what `muster close --owner` says counts before."""

FEW = 3
"""Rows named of each group; the contract's three."""


@dataclass(slots=True)
class OpenGroup:
    """Rows that are open for one cause, of one system and tenant, with one owner."""

    system: str
    tenant: str
    outcome: str
    reason_code: str
    owner: str
    since_ms: int
    """When the oldest of them came."""
    rows: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    """Rows by the newest run over their file."""
    examples: list[tuple[str, int]] = field(default_factory=list)
    """The first rows, as run and source row."""

    @property
    def commands(self) -> tuple[NextStep, ...]:
        """With what the rows go on, run by run, the newest run first."""
        again = self.outcome == Outcome.DECLINED and self.reason_code == "kyc_failed"
        return tuple(
            step
            for run_id, rows in sorted(self.runs.items(), reverse=True)
            for step in next_steps(Ended(run_id, {self.outcome: rows}, ExitCode.ATTENTION, again))[:1]
        )


@value
class OpenItems:
    """All of it. `interrupted`: runs that died and that nobody went on with. `closed`: rows that somebody closed."""

    groups: tuple[OpenGroup, ...]
    interrupted: tuple[RunRow, ...] = ()
    closed: int = 0

    @property
    def rows(self) -> int:
        """Rows that are open."""
        return sum(group.rows for group in self.groups)

    @property
    def none(self) -> bool:
        """Whether nothing is open."""
        return not self.groups and not self.interrupted


def open_items(store: Store, clock: Clock, system: str | None = None, tenant: str | None = None) -> OpenItems:
    """What is open in the ledger, of all systems and tenants or of one."""
    return gathered(store, clock, standings(store, system, tenant))


def gathered(store: Store, clock: Clock, files: Sequence[Standing]) -> OpenItems:
    """What is open of some files."""
    said, now_ms = dispositions(store), milliseconds(clock.now())
    found = still_open(store, files)
    groups: dict[tuple[str, str, str, str, str], OpenGroup] = {}
    closed = 0
    for standing, row in of_newest_key(found):
        word = said.of(standing, row)
        if word is not None and word.closes(now_ms):
            closed += 1
            continue
        _add(groups, standing, row, word)
    ordered = sorted(groups.values(), key=lambda group: (group.system, group.tenant, -group.rows))
    dead = [run for standing in files if (run := interrupted(store, standing, now_ms)) is not None]
    return OpenItems(tuple(ordered), tuple(dead), closed)


def interrupted(store: Store, standing: Standing, now_ms: int) -> RunRow | None:
    """The newest run over a file when it did not end and does not work; None: it ended, or works."""
    run = standing.runs[-1]
    if run.ended_ms is not None:
        return None
    owner = working(store, run.system, run.tenant, now_ms)
    return None if owner is not None and owner.run_id == run.run_id else run


def resumable(store: Store, clock: Clock, system: str | None = None, tenant: str | None = None) -> list[RunRow]:
    """The newest run over each file that resume can take further, oldest file first."""
    now_ms, found = milliseconds(clock.now()), []
    files = standings(store, system, tenant)
    going = {standing.batch_id for standing, row in still_open(store, files) if row.outcome in RESUMABLE}
    for standing in files:
        dead = interrupted(store, standing, now_ms)
        if dead is not None:
            found.append(dead)
        elif standing.newest and standing.batch_id in going:
            found.append(standing.newest)
    return found


def closed_rows(store: Store, clock: Clock, files: Sequence[Standing]) -> list[tuple[Standing, OpenRow, Disposition]]:
    """The rows that are not complete and that somebody closed, with what was said."""
    said: Dispositions = dispositions(store)
    now_ms = milliseconds(clock.now())
    told = [(standing, row, said.of(standing, row)) for standing, row in of_newest_key(still_open(store, files))]
    return [(standing, row, word) for standing, row, word in told if word is not None and word.closes(now_ms)]


def _add(
    groups: dict[tuple[str, str, str, str, str], OpenGroup], standing: Standing, row: OpenRow, word: Disposition | None
) -> None:
    run = standing.runs[0]
    owner = (word.owner if word else None) or OWNERS[row.outcome]
    place = (run.system, run.tenant, row.outcome, row.cause, owner)
    group = groups.setdefault(place, OpenGroup(*place, since_ms=standing.since_ms))
    group.rows += 1
    group.since_ms = min(group.since_ms, standing.since_ms)
    group.runs[row.run_id] += 1
    if len(group.examples) < FEW:
        group.examples.append((row.run_id, row.source_row))
