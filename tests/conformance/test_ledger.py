"""What every kind of ledger has to do, whatever database keeps it."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from books import RUN, Book, begun, ended, intent, now_ms, record, url_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from jobs.errors import Unusable
from jobs.ledger import lease, tables
from jobs.ledger.rows import EventRow, IdClaim, StepRow, StepStatus, Transition
from jobs.ledger.store import Store
from jobs.ledger.transitions import Fenced
from jobs.ledger.writer import Writer
from jobs.model import Outcome
from jobs.systems.messages import Trace
from tests.examples import some


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return url_of(tmp_path)
    ledger: str = request.getfixturevalue("postgres").ledger()
    return ledger


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.opened(url) as opened:
        yield opened


@pytest.fixture
def book(store: Store) -> Book:
    return begun(store)


def test_a_ledger_that_is_opened_again_holds_what_was_committed(url: str) -> None:
    with Store.opened(url) as first:
        begun(first).apply(intent("a"), ended(1))
    with Store.opened(url, create=False) as again:
        assert [run.run_id for run in again.runs()] == [RUN.run_id]
        assert set(again.known(again.space("eclipse", "1001"), ["a"])) == {"a"}
        assert again.outcome_counts(RUN.run_id) == {Outcome.ONBOARDED: 1}


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(url: str) -> None:
    with Store.opened(url) as store, store.writes.begin() as connection:
        connection.execute(update(tables.schema_version).values(version=tables.SCHEMA_VERSION + 1))

    with pytest.raises(Unusable, match=f"version {tables.SCHEMA_VERSION + 1}"):
        Store.open(url)


def test_an_empty_ledger_is_refused_where_one_is_needed(url: str) -> None:
    with pytest.raises(Unusable, match="empty"):
        Store.open(url, create=False)


def test_a_space_is_one_for_each_system_and_tenant(store: Store) -> None:
    ids = [store.space("eclipse", "1"), store.space("eclipse", "2"), store.space("blink", "1")]

    assert len(set(ids)) == 3
    assert [store.space("eclipse", "1"), store.space("eclipse", "2"), store.space("blink", "1")] == ids


def test_a_run_comes_back_as_it_was_recorded(book: Book) -> None:
    assert book.store.run(RUN.run_id) == RUN

    book.store.end_run(RUN.run_id, ended_ms=RUN.started_ms + 5, exit_code=1, summary={"rows": 3})

    assert book.store.run(RUN.run_id) == replace(RUN, ended_ms=RUN.started_ms + 5, exit_code=1, summary={"rows": 3})
    assert book.store.run("another") is None


def test_a_run_id_is_used_once(book: Book) -> None:
    with pytest.raises(Unusable, match="used before"):
        book.store.begin_run(book.space_id, RUN)
    assert [event["kind"] for event in book.store.events(RUN.run_id)] == ["run_start"]


def test_the_newest_runs_come_first(book: Book) -> None:
    for number in range(5):
        book.store.begin_run(book.space_id, replace(RUN, run_id=f"later-{number}", started_ms=RUN.started_ms + number))

    assert [run.run_id for run in book.store.runs(3)] == ["later-4", "later-3", "later-2"]


def test_a_group_is_applied_as_a_whole_or_not_at_all(book: Book) -> None:
    book.apply(ended(7))

    with pytest.raises(DBAPIError):
        book.apply(intent("a"), ended(8), ended(7), intent("b"))

    assert book.store.known(book.space_id, ["a", "b"]) == {}
    assert book.events() == []
    assert book.store.outcome_counts(RUN.run_id) == {Outcome.ONBOARDED: 1}


def test_a_row_ends_once_within_a_group_too(book: Book) -> None:
    with pytest.raises(DBAPIError):
        book.apply(ended(1), ended(1, Outcome.FAILED))
    assert book.store.outcome_counts(RUN.run_id) == {}


def test_a_writer_whose_lease_was_taken_over_changes_nothing_more(book: Book) -> None:
    book.apply(intent("a"))
    lease.release(book.store, book.space_id, book.epoch)
    lease.take(book.store, book.space_id, lease.Owner.me("next"), now_ms())

    with pytest.raises(Fenced):
        book.apply(intent("b"), ended(1))

    assert set(book.store.known(book.space_id, ["a", "b"])) == {"a"}
    assert book.events() == ["a"]


def test_the_last_state_of_a_key_wins_within_one_group_and_all_its_history_stays(book: Book) -> None:
    done = Transition(
        record("a", facts={"customer_id": "9"}, outcome=Outcome.ONBOARDED),
        StepRow("customer", StepStatus.DONE, 2, doubt_since_ms=5, doubts=1),
        EventRow(1003, "result", 1, "a", "customer", 2, verdict="done", trace=Trace(201, None, "T1")),
    )

    book.apply(intent("a"), intent("b"), intent("a", 2), done)

    known = book.store.known(book.space_id, ["a", "b"])
    assert known["a"].record == done.record
    assert known["a"].steps == {"customer": done.step}
    assert known["b"].steps["customer"].attempts == 1
    assert book.events() == ["a", "b", "a", "a"]


def test_what_a_write_was_made_of_comes_back_as_it_was_committed(book: Book) -> None:
    made = StepRow("wallet", StepStatus.INTENDED, 1, 5, 1, {"wallet_type_id": "7"}, "wal-7", "ab" * 32)
    told = EventRow(1001, "intent", 1, "a", "wallet", 1, "ab" * 32, write_key="wal-7")

    book.apply(Transition(record("a"), made, told))

    assert book.store.known(book.space_id, ["a"])["a"].steps == {"wallet": made}
    assert [event["write_key"] for event in book.store.events(RUN.run_id)][1:] == ["wal-7"]


def test_an_id_of_the_target_belongs_to_the_key_that_claimed_it_first(book: Book) -> None:
    mine, theirs = IdClaim("customer", "7", "a"), IdClaim("customer", "7", "b")
    wallet = IdClaim("wallet", "7", "b")

    def claimed(*claims: IdClaim) -> Mapping[IdClaim, str]:
        transitions = [Transition(claims=(each,)) for each in claims]
        return book.store.apply(book.space_id, book.epoch, RUN.run_id, transitions)

    assert claimed(mine, theirs, wallet) == {theirs: "a"}
    assert claimed(mine) == {}
    assert claimed(theirs) == {theirs: "a"}
    many = [IdClaim("customer", str(number), "c") for number in range(2000)]
    assert claimed(*many) == {IdClaim("customer", "7", "c"): "a"}


def test_each_waiter_hears_of_its_own_claims(book: Book) -> None:
    async def work() -> list[Mapping[IdClaim, str]]:
        async with Writer(book.store, book.space_id, book.epoch, RUN.run_id) as writer:
            claims = [IdClaim("customer", str(number // 2), f"key-{number}") for number in range(6)]
            return await asyncio.gather(*(writer.commit(Transition(claims=(each,))) for each in claims))

    assert [sorted(held.values()) for held in asyncio.run(work())] == [[], ["key-0"], [], ["key-2"], [], ["key-4"]]


def test_steps_of_a_key_are_kept_apart(book: Book) -> None:
    book.apply(intent("a"), intent("a", 1, "wallet"))
    book.apply(intent("a", 3, "wallet"))

    steps = book.store.known(book.space_id, ["a"])["a"].steps

    assert {name: step.attempts for name, step in steps.items()} == {"customer": 1, "wallet": 3}


def test_a_step_without_its_record_is_refused() -> None:
    with pytest.raises(AssertionError):
        Transition(step=StepRow("customer", StepStatus.DONE))


@pytest.mark.few(1)
def test_two_thousand_keys_are_found_and_no_others(book: Book) -> None:
    keys = [f"cust-{number:04}" for number in range(2000)]
    book.apply(*(intent(key) for key in keys[::2]))

    known = book.store.known(book.space_id, [*keys, "cust-0000"])

    assert sorted(known) == keys[::2]
    assert all(known[key].steps["customer"].status is StepStatus.INTENDED for key in known)


def test_keys_are_one_space_for_each_tenant(book: Book) -> None:
    book.apply(intent("a"))

    assert book.store.known(book.store.space("eclipse", "2002"), ["a"]) == {}
    assert book.store.known(book.space_id, []) == {}


@pytest.mark.parametrize("window", [1, 2, 3, 7, 8, 100])
def test_outcomes_come_page_by_page_in_input_order(book: Book, window: int) -> None:
    book.apply(*(ended(number) for number in (5, 1, 900_000_000_000, 3, 2, 7, 11)))

    pages = list(book.store.outcomes(RUN.run_id, window))

    assert [row["source_row"] for page in pages for row in page] == [1, 2, 3, 5, 7, 11, 900_000_000_000]
    assert all(0 < len(page) <= window for page in pages)
    assert all(type(name) is str for name in pages[0][0])


@pytest.mark.parametrize("window", [1, 2, 5, 100])
def test_events_come_page_by_page_in_the_order_of_their_commit(book: Book, window: int) -> None:
    for number in range(6):
        book.apply(intent(f"k{number}"), intent(f"l{number}"))

    keys = [event["key"] for event in book.store.events(RUN.run_id, window)]

    assert keys == [None, *(f"{letter}{number}" for number in range(6) for letter in "kl")]


def test_runs_do_not_see_each_others_rows(book: Book) -> None:
    book.store.begin_run(book.space_id, replace(RUN, run_id="second"))
    book.apply(ended(1), intent("a"))
    replace(book, run_id="second").apply(ended(1, Outcome.FAILED), ended(2, Outcome.FAILED))

    assert book.store.outcome_counts(RUN.run_id) == {Outcome.ONBOARDED: 1}
    assert book.store.outcome_counts("second") == {Outcome.FAILED: 2}
    assert (book.store.settled_rows("second"), book.store.settled_among("second", 2, 9)) == (2, {2})
    assert (book.store.intent_total(RUN.run_id), book.store.intent_total("second")) == (1, 0)


def test_attempts_and_calls_add_up(book: Book) -> None:
    book.apply(ended(1, attempts=3), ended(2, attempts=4))
    book.store.add_calls(RUN.run_id, {("create", "POST", "201"): 7, ("find", "GET", "maybe_sent"): 1})

    assert book.store.attempt_total(RUN.run_id) == 7
    assert book.store.calls(RUN.run_id) == {("create", "POST", "201"): 7, ("find", "GET", "maybe_sent"): 1}
    assert book.store.attempt_total("unknown") == 0


def test_only_pending_rows_of_the_run_tell_since_when_they_wait(book: Book) -> None:
    for number, since in ((1, 111), (2, None), (3, 333)):
        waiting = Transition(record(f"cust-{number}", undecided_since_ms=since))
        book.apply(waiting, ended(number, Outcome.PENDING if number < 3 else Outcome.ONBOARDED))

    assert book.store.undecided_since(RUN.run_id) == [111]


@settings(max_examples=some(20), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=60).filter(lambda text: "\x00" not in text and text.isprintable()))
def test_any_text_comes_back_as_it_went_in(book: Book, text: str) -> None:
    key = f"cust-{text}"
    book.apply(Transition(record(key, reason=text, facts={"customer_id": text})))

    found = book.store.known(book.space_id, [key])[key].record

    assert (found.reason, found.facts, found.key) == (text, {"customer_id": text}, key)


CHILD = """
import sys
from books import begun, ended, intent
from jobs.ledger.store import Store

with Store.opened(sys.argv[1]) as store:
    book = begun(store)
    print("begun", flush=True)
    for number in range(1, 1_000_000, 10):
        rows = range(number, number + 10)
        book.apply(*(intent(f"cust-{row}") for row in rows), *(ended(row) for row in rows))
        for row in rows:
            print(row, flush=True)
"""


@pytest.mark.few(1)
@pytest.mark.parametrize("commits", [1, 7, 60])
def test_a_process_that_is_killed_between_commits_loses_nothing_it_acknowledged(url: str, commits: int) -> None:
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    with subprocess.Popen([sys.executable, "-c", CHILD, url], stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        told = [int(child.stdout.readline()) for _ in range(commits * 10)]
        os.kill(child.pid, signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().split()]
        assert child.wait() == -signal.SIGKILL

    with Store.opened(url, create=False) as store:
        rows = [row["source_row"] for page in store.outcomes(RUN.run_id) for row in page]
        assert set(told) <= set(rows)
        assert len(rows) % 10 == 0
        assert len(rows) - len(told) <= 20
        assert len(store.known(1, [f"cust-{row}" for row in rows])) == len(rows)
        assert store.intent_total(RUN.run_id) == len(rows)
        epoch = lease.take(store, 1, lease.Owner.me("next"), now_ms())
        assert epoch == 2


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    connection.close()

    with pytest.raises(Unusable, match="another program"):
        Store.open(f"sqlite:///{other}")

    with sqlite3.connect(other) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
    connection.close()
    assert names == ["customers"]


def test_another_key_of_the_pseudonyms_is_noticed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Store.opened(url) as store:
        store.know_key("a" * 32)
        store.know_key("a" * 32)

    with Store.opened(url) as store, pytest.raises(Unusable, match="key of the pseudonyms"):
        store.know_key("b" * 32)
