"""Whole runs with a PgBouncer before the ledger's server: they work, or are refused before anything is sent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox
from tests.pgbouncer import Pooler
from tests.postgres import Server

from .muster import Muster, also, eventually, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", "k" * 32)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "size"), [("session", 10), ("transaction", 2)])
@pytest.mark.parametrize("lose", [None, Pooler.restart, Pooler.end_connections])
def test_a_night_works_behind_a_pooler_also_when_it_loses_connections(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    size: int,
    lose: Callable[[Pooler], None] | None,
) -> None:
    rows = people(12)
    sandbox.configure(latency_ms=30)
    with Pooler.before(postgres, mode, size) as pooler:
        monkeypatch.setenv("MUSTER_LEDGER", pooler.ledger(postgres))
        started = muster.start("run", file_of(rows), "--concurrency", "4")
        for calls in (4, 12, 20) if lose else ():
            eventually(lambda calls=calls: len(writes(sandbox)) >= calls or started.running.poll() is not None)
            assert lose is not None
            lose(pooler)
        ended = muster.wait(started)
        assert ended.code == 0, ended
        proves_once_each(sandbox, rows, ended)
        for command in ("status", "runs"):
            assert muster(command).code == 0, command
        assert muster("reconcile", ended.folder.name).code == 0
        assert muster("ledger", "check").code == 0


REFUSED = {
    "transaction": "the pooler before the ledger's server leaves out the URL's search_path=",
    "session": "the pooler before the ledger's server leaves out the URL's search_path=",
    "statement": "statement pooling",
}


@pytest.mark.parametrize("mode", ["transaction", *also("session", "statement")])
def test_a_pooler_behind_which_no_ledger_works_is_refused_before_anything_is_sent(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    with Pooler.before(postgres, mode, 2) as pooler:
        monkeypatch.setenv("MUSTER_LEDGER", pooler.ledger(postgres, named=mode != "statement"))
        ended = muster("run", file_of(people(1)))

    assert ended.code == 2, ended
    assert REFUSED[mode] in ended.stderr
    assert writes(sandbox) == []
    assert postgres.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
