"""Waiting for another's lock: long while nobody minds, shortly when somebody stopped the run, not at all afterwards."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from jobs.ledger import turn
from jobs.ledger.broken import LedgerBusy
from jobs.ledger.turn import Turn


class Held:
    """A statement that meets another's lock the first `times` times; None: for ever."""

    def __init__(self, times: int | None = None) -> None:
        self.times, self.tries = times, 0

    def __call__(self) -> str:
        self.tries += 1
        if self.times is None or self.tries <= self.times:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return "done"


def test_a_lock_that_is_given_back_costs_nothing_but_the_wait() -> None:
    statement = Held(times=3)

    assert Turn(Path("muster.db")).take(statement) == "done"
    assert statement.tries == 4


def test_who_stops_the_run_is_heard_during_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "BUSY_SECONDS", 10_000)
    monkeypatch.setattr(turn, "HURRIED_SECONDS", 0.1)
    stop, statement, waiting = threading.Event(), Held(), Turn(Path("muster.db"))
    waiting.stopped = stop.is_set
    raised: list[Exception] = []

    def take() -> None:
        try:
            waiting.take(statement)
        except LedgerBusy as error:
            raised.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    while statement.tries < 3:
        pass
    assert raised == []
    stop.set()
    thread.join(60)
    assert len(raised) == 1


def test_after_a_wait_in_vain_others_try_just_once_until_one_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "BUSY_SECONDS", 0.1)
    waiting, first, second = Turn(Path("muster.db")), Held(), Held()
    with pytest.raises(LedgerBusy):
        waiting.take(first)
    with pytest.raises(LedgerBusy):
        waiting.take(second)
    assert first.tries > 2
    assert second.tries == 2  # as it comes, and once more
    assert waiting.take(Held(times=0)) == "done"
    third = Held()
    with pytest.raises(LedgerBusy):
        waiting.take(third)
    assert third.tries > 2


def test_other_errors_are_not_waited_for() -> None:
    def broken() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError, match="disk"):
        Turn(Path("muster.db")).take(broken)


def test_a_lock_of_this_process_is_nobody_elses(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "muster.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        assert turn.holder(tmp_path / "muster.db") is None
