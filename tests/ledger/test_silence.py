"""A server that keeps its connections and answers nothing: given up in the end, never while it works."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from books import RUN, begun, ended, intent
from sqlalchemy import text

from jobs.ledger import postgres as ours
from jobs.ledger import silence
from jobs.ledger.broken import LedgerAway, LedgerBroken
from jobs.ledger.store import Store
from tests.cable import Cable
from tests.postgres import Server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "QUIET_SECONDS", 0.3)
    monkeypatch.setattr(silence, "LOOK_SECONDS", 2)
    monkeypatch.setattr(silence, "LATE_SECONDS", 0.3)
    monkeypatch.setitem(ours.CONNECTING, "connect_timeout", 2)  # type: ignore[index]


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.ledger()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.opened(url) as opened:
        yield opened


def test_a_frozen_server_is_given_up_and_each_later_question_too(
    postgres: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "AWAY_SECONDS", 0.3)
    book = begun(store)
    with postgres.frozen():
        with pytest.raises(LedgerBroken, match="answered nothing for"):
            book.apply(ended(1))
        with pytest.raises(LedgerBroken, match="answered nothing for"):
            store.settled_rows(RUN.run_id)

    monkeypatch.setattr(ours, "AWAY_SECONDS", 0.0)
    assert store.settled_rows(RUN.run_id) == 0
    book.apply(ended(1))
    assert store.settled_rows(RUN.run_id) == 1


def test_what_waited_for_a_frozen_server_goes_on_when_it_is_thawed(
    postgres: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, given_up = begun(store), threading.Event()

    def looked(connection: silence.Heard, given: object) -> bool:
        given_up.set()
        return False

    monkeypatch.setattr(ours, "at_work", looked)
    store.engine.dispose()
    book.apply(intent("before"))
    worker = threading.Thread(target=book.apply, args=(intent("a"), ended(1)))
    with postgres.frozen():
        worker.start()
        assert given_up.wait(60)
    worker.join(60)

    assert book.events() == ["before", "a"]
    assert store.settled_rows(RUN.run_id) == 1


@pytest.mark.parametrize("group", ["intents", "outcomes"])
def test_a_commit_whose_answer_is_swallowed_is_made_once(postgres: Server, url: str, group: str) -> None:
    with Cable(postgres) as cable, Store.opened(cable.ledger(url)) as store:
        book = begun(store)
        book.apply(intent("before"))
        commits = store.engine.dialect.do_commit

        def answer_lost(connection: object) -> None:
            store.engine.dialect.do_commit = commits  # type: ignore[method-assign]
            cable.lose_answers()
            commits(connection)  # type: ignore[arg-type]

        store.engine.dialect.do_commit = answer_lost  # type: ignore[method-assign]
        book.apply(*([intent("a"), intent("b")] if group == "intents" else [ended(1), intent("a"), intent("b")]))
        book.apply(intent("after"))

        assert store.engine.dialect.do_commit == commits
        assert book.events() == ["before", "a", "b", "after"]
        assert store.settled_rows(RUN.run_id) == (group == "outcomes")


def test_a_server_that_works_for_long_is_waited_for(store: Store) -> None:
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT 'done' FROM pg_sleep(1.2)")) == "done"


def asked_of_a_process_that_stands_still(store: Store) -> None:
    with store.about(1).begin() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        os.kill(pid, signal.SIGSTOP)
        try:
            connection.execute(text("SELECT 1"))
        finally:
            os.kill(pid, signal.SIGCONT)


def test_one_process_that_stands_still_in_a_short_question_is_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "SHORT_SECONDS", 0.5)
    with pytest.raises(LedgerAway, match="answered nothing"):
        asked_of_a_process_that_stands_still(store)
