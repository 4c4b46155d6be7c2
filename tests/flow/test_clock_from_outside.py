"""A command tells the time by the clock that it is given, in all that it writes."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jobs.clock import Clock, from_milliseconds
from jobs.sandbox.server import Sandbox

from .muster import Muster
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]

THEN = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
FILES = ("outcome.csv", "reconciliation.csv", "summary.json", "events.ndjson", "manifest.json", "report.html")


class Then(Clock):
    """The real clock, years ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = THEN - datetime.now(UTC)

    def now(self) -> datetime:
        """Some moment in 2031."""
        return datetime.now(UTC) + self.ahead


def told(folder: Path) -> Iterator[tuple[str, str]]:
    """The times that the files in `folder` tell, each with its file."""
    for path in sorted(folder.rglob("*")):
        if path.name in FILES:
            found = re.findall(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", path.read_text(encoding="utf-8"))
            yield from ((path.name, each) for each in found)


def kept(ledger: Path) -> Iterator[tuple[str, datetime]]:
    """The times that a ledger keeps, each with its column."""
    with sqlite3.connect(ledger) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            columns = [each[1] for each in connection.execute(f"PRAGMA table_info({name})")]
            for column in (each for each in columns if each.endswith("_ms") and not each.endswith("up_ms")):
                for (found,) in connection.execute(f"SELECT {column} FROM {name} WHERE {column} IS NOT NULL"):
                    yield f"{name}.{column}", from_milliseconds(found)
    connection.close()


def test_all_times_that_a_run_and_its_reports_write_are_the_given_clocks(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    muster.clock = Then()
    ended = muster("run", file_of([*people(3), person(4, phone="1")]))
    assert ended.code == 1, ended.stderr
    assert muster("reconcile", "run-1").code == 0
    assert muster("report", "run-1").code == 1

    times = list(told(ended.folder))
    assert {name for name, _ in times} == set(FILES)
    assert {(name, time) for name, time in times if not time.startswith("2031-05-06")} == set()
    assert {name for name, at in kept(muster.folder / "muster.db") if abs(at - THEN) > timedelta(hours=1)} == set()
    assert any(name.startswith("reconcile-20310506T") for name in map(str, (p.name for p in ended.folder.iterdir())))


def test_a_run_is_named_by_the_given_clock(muster: Muster, file_of: Filed) -> None:
    muster.clock = Then()
    assert muster("validate", file_of(people(1))).code == 0
    assert muster("run", "--run-id", "", file_of(people(1))).code == 0
    assert [path.name[:9] for path in (muster.folder / "runs").iterdir()] == ["20310506T"]
