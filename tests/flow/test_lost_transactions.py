"""A server that is lost in any one transaction of a run, each in turn: once anything was sent, the run goes on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from jobs.ledger import postgres as ours
from jobs.sandbox.server import Sandbox
from tests.postgres import Server

from .muster import Muster, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]


@dataclass
class Loss:
    """Ends the connection of one transaction, the `at`-th, as soon as it is begun."""

    server: Server
    at: int = 0
    begun: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lose(self, connection: Connection) -> None:
        """A transaction is begun."""
        with self._lock:
            self.begun += 1
            lost = self.begun == self.at
        if lost:
            raw: Any = connection.connection.driver_connection
            self.server.ask("SELECT pg_terminate_backend(%s)", raw.info.backend_pid)


@pytest.fixture
def loss(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Loss:
    begin, found = ours._on_begin, Loss(postgres)

    def begun(connection: Connection) -> None:
        begin(connection)
        found.lose(connection)

    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", "k" * 32)
    monkeypatch.setattr(ours, "_on_begin", begun)
    return found


PARTS = 12
"""Of the transactions of a run each test takes those whose number leaves the same rest (chosen)."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a cursor that was lost is not closed
@pytest.mark.parametrize("rest", range(PARTS))
def test_a_server_that_is_lost_in_a_transaction_costs_nothing_once_anything_was_sent(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    loss: Loss,
    rest: int,
) -> None:
    rows, ends = people(2), dict[int, int]()
    path, number, last = file_of(rows), rest, 0
    while number - PARTS <= last:
        sandbox.reset()
        monkeypatch.setenv("MUSTER_LEDGER", postgres.ledger())
        loss.begun, loss.at = 0, number
        ended = muster("run", path)
        ends[number], last = ended.code, loss.begun
        if ended.code:
            assert (ended.code, writes(sandbox)) == (2, []), (number, ended)
            assert "terminating connection" in ended.stderr
            ended = muster("run", path)
        proves_once_each(sandbox, rows, ended)
        number += PARTS

    assert 0 in ends.values()
