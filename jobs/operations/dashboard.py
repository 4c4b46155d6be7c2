"""`muster dashboard`: all nights that a ledger knows become one page. Reads the ledger; asks no target."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from jobs.atomic import atomic
from jobs.clock import Clock, from_milliseconds, iso
from jobs.errors import Unusable
from jobs.ledger.open_rows import standings
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.operations.open_items import OpenGroup, gathered
from jobs.publishing.nights import nights_of
from jobs.reports.dashboard import MARK, Board, OpenLine, dashboard
from jobs.reports.nights import trend
from jobs.storage.address import is_address

MOST_COMMANDS = 3
"""Commands shown for a cause (chosen); `muster open` has all."""

Space = tuple[str, str]
"""System and tenant, as the ledger has them."""


def write_dashboard(ledger: str, to: Path, clock: Clock, last: int, only: Space | None = None) -> Sequence[Board]:
    """Writes the page `to`, readable by its owner alone, and gives what is on it.

    `last`: so many runs of each tenant. `only`: of one system and tenant; None: of all. Raises Unusable where something
    else than such a page lies there.
    """
    if to.exists() and MARK not in to.read_text("utf-8", errors="replace")[:2_000]:
        raise Unusable(f"{to} is there already, and is no dashboard", hint="give another name with --to")
    with Store.opened(ledger, create=False) as store:
        spaces = [only] if only else _spaces(store)
        boards = [board for space in spaces if (board := _board(store, clock, space, last, to)) is not None]
    text = dashboard(boards, ledger=place_of(ledger).name, made_at=iso(clock.now()))
    to.parent.mkdir(parents=True, exist_ok=True)
    with atomic(to) as draft:
        draft.write_text(text, "utf-8")
    return boards


def _spaces(store: Store) -> list[Space]:
    """Every system and tenant that has a run."""
    return sorted({(each.runs[-1].system, each.runs[-1].tenant) for each in standings(store)})


def _board(store: Store, clock: Clock, space: Space, last: int, to: Path) -> Board | None:
    """One tenant; None where it has no run."""
    runs = nights_of(store, *space, last)
    nights = trend([night for night, _ in runs], last, fewest=1)
    if nights is None:
        return None
    found = gathered(store, clock, standings(store, *space))
    return Board(
        *space,
        nights,
        open_lines=[_line(group) for group in found.groups],
        interrupted=[run.run_id for run in found.interrupted],
        closed=found.closed,
        links={night.run_id: place for night, folder in runs if (place := _place(folder, to))},
    )


def _line(group: OpenGroup) -> OpenLine:
    return OpenLine(
        group.outcome,
        group.reason_code,
        group.rows,
        group.owner,
        since=f"{from_milliseconds(group.since_ms):%Y-%m-%d}",
        commands=[step.command for step in group.commands[:MOST_COMMANDS]],
    )


def _place(folder: str, to: Path) -> str | None:
    """Where a run's report lies, seen from the page; None where there is none any more."""
    if is_address(folder):
        return None
    report = Path(folder) / "report.html"
    return quote(os.path.relpath(report.absolute(), to.absolute().parent)) if report.exists() else None
