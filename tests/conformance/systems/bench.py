"""muster and the stand-in of one system, in a folder of their own; whatever is scaled is scaled here."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox, Standing
from jobs.systems.messages import Token
from jobs.transport.retry import FullJitter
from tests.flow.muster import READS, Ended, Muster
from tests.flow.people import Row, written

from .subject import Counts, Subject, Target

NAME = "Nkosi"
"""A last name that no stand-in has a story about."""

CONSTANT = {"RATE": "1000/1", "DECISION_POLL": "0.1", "DECISION_WAIT": "0.3", "CANARY": "0"}
"""Variables of every system: no limit, short waits."""


@dataclass(frozen=True)
class Stood:
    """One system of the sandbox as a target."""

    sandbox: Sandbox
    standing: Standing

    @property
    def base_url(self) -> str:
        """What muster is given."""
        return self.standing.base_url

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """The journal."""
        return self.sandbox.journal(after)

    def snapshot(self) -> dict[str, Any]:
        """What is stored."""
        return self.standing.snapshot()

    def plant(self, **record: Any) -> object:
        """Stores a record past all rules."""
        return self.standing.plant(**record)

    def amend(self, kind: str, name: str, **changes: Any) -> None:
        """Changes or deletes a stored record."""
        self.standing.amend(kind, name, **changes)


class Bench:
    """One system under test. Commands are run with `muster`; everything else looks at the target."""

    def __init__(self, subject: Subject, target: Target, muster: Muster) -> None:
        self.subject, self.target, self.muster, self.folder = subject, target, muster, muster.folder
        self.tokens: set[str] = set()
        """All that the target gave, and that was presented."""

    def rows(self, count: int, first: int = 1, last_name: str = NAME) -> list[Row]:
        """`count` rows, and at the target what they need."""
        return [self.row(number, last_name) for number in range(first, first + count)]

    def row(self, number: int, last_name: str = NAME) -> Row:
        """One row, and at the target what it needs."""
        self.subject.prepare(self.target, number, last_name)
        return self.subject.row(number, last_name)

    def file(self, rows: Iterable[Row], name: str = "customers.csv") -> Path:
        """The rows as an input file."""
        return written(self.folder / name, rows)

    def run(self, rows: Iterable[Row], *more: str) -> Ended:
        """`muster run` in this process."""
        return self.muster("run", self.file(rows), *more)

    def again(self, *more: str) -> Ended:
        """The same file once more."""
        return self.muster("run", self.folder / "customers.csv", *more)

    def settings(self, *tables: str) -> None:
        """Writes the system's table of muster.toml."""
        self.table("\n".join([self.subject.settings, *tables]))

    def table(self, text: str) -> None:
        """Writes `text` as the system's table of muster.toml."""
        (self.folder / "muster.toml").write_text(f"[{self.subject.name}]\n{text}\n", encoding="utf-8")

    @property
    def counts(self) -> Counts:
        """What the target holds."""
        return self.subject.counts(self.target.snapshot())

    @property
    def arrived(self) -> int:
        """How many calls came so far."""
        return len(self.target.calls())

    def writes(self, after: int = 0) -> list[dict[str, Any]]:
        """The calls that could change something, in order of arrival."""
        return [
            call
            for call in self.target.calls(after)
            if call["method"] not in READS and call["operation"] not in self.subject.harmless
        ]


def first_writes(bench: Bench, after: int = 0) -> list[dict[str, Any]]:
    """The calls that were the first write of a row, or its repetition."""
    return [call for call in bench.writes(after) if call["operation"] == bench.subject.write]


def told(row: Mapping[str, str], sent: int = 1) -> str:
    """How a row of outcome.csv ended, as the table of the documents says it."""
    words = f"{row['outcome']} ({row['reason_code']})" if row["reason_code"] else row["outcome"]
    return words if sent == 1 else f"{words}, sent {sent} times"


def scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts and looks that fit a test; what is waited for stays the same."""
    monkeypatch.setattr(FullJitter, "seconds", lambda *_: 0.02)
    monkeypatch.setattr("jobs.engine.driver.SETTLE_SECONDS", 0.4)
    monkeypatch.setattr("jobs.engine.driver.SETTLE_LOOKS_EVERY", 0.1)
    monkeypatch.setattr("jobs.transport.pauses.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("jobs.transport.successor._LATEST", {})


class Heard(Muster):
    """A muster whose words are caught in whatever fixture it runs."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._said: tuple[str, str] = "", ""
        super().__init__(folder, sandbox, lambda: self._said)

    def __call__(self, *arguments: str | Path) -> Ended:
        """One command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            ended = super().__call__(*arguments)
        return replace(ended, stdout=out.getvalue(), stderr=err.getvalue())


@contextmanager
def set_up(subject: Subject, target: Target, sandbox: Sandbox, folder: Path) -> Iterator[Bench]:
    """muster in `folder`, with everything that it reads there and in the environment."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        scaled(monkeypatch)
        for name, value in subject.patches.items():
            monkeypatch.setattr(name, value)
        monkeypatch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("MUSTER_")]:
            monkeypatch.delenv(name)
        given = {**CONSTANT, "SYSTEM": subject.name, "BASE_URL": target.base_url, **subject.environment}
        for name, value in given.items():
            monkeypatch.setenv(f"MUSTER_{name}", value)
        for name, content in subject.files.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        bench = Bench(subject, target, Heard(folder, sandbox))
        bench.settings()
        monkeypatch.setattr(Token, "__init__", noting(Token.__init__, bench.tokens))
        yield bench


def noting(usual: Callable[..., None], tokens: set[str]) -> Callable[..., None]:
    """How a token is made, with its value put down."""

    def made(self: Token, *given: Any, **named: Any) -> None:
        usual(self, *given, **named)
        tokens.add(self.header_value.removeprefix("Bearer "))

    return made
