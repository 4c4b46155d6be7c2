"""Shards: each is one process's, whoever lost one writes nothing more, and those of a run commit beside each other."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from books import RUN, Book, begun, ended, intent, now_ms

from jobs.clock import Clock
from jobs.ledger import lease
from jobs.ledger.broken import LedgerAway, LedgerBroken
from jobs.ledger.lease import PULSE
from jobs.ledger.rows import EventRow, IdClaim, Transition
from jobs.ledger.shards import (
    Leaving,
    Shard,
    ShardLease,
    ShardState,
    close,
    give_back,
    leader_of,
    make_shards,
    shards_of,
    stop_all,
    take,
    take_from,
    taken_in,
    tell,
)
from jobs.ledger.store import Store
from jobs.ledger.tally import Tally
from jobs.ledger.transitions import Transitions
from tests.postgres import Server


@pytest.fixture
def book(either: str) -> Iterator[Book]:
    with Store.opened(either) as store:
        book = begun(store)
        make_shards(store, RUN.run_id, [(1, 1), (2, 2), (3, 3)])
        yield book


def taken(book: Book, number: int | None = None) -> Shard:
    shard = take(book.store, RUN.run_id, "worker-0", now_ms(), number)
    assert shard is not None
    return shard


def write(book: Book, shard: Shard, *transitions: Transition) -> None:
    book.store.apply(book.space_id, book.epoch, RUN.run_id, transitions, part=shard.part)


def lease_of(book: Book, shard: Shard) -> ShardLease:
    clock = Clock()
    return ShardLease(book.store, (book.space_id, book.epoch), shard, clock, PULSE, clock.monotonic())


def test_each_shard_is_taken_by_one(book: Book) -> None:
    numbers = [taken(book).number for _ in range(3)]

    assert numbers == [0, 1, 2]
    assert take(book.store, RUN.run_id, "worker-1", now_ms()) is None
    assert [each.number for each in taken_in(book.store, book.space_id)] == [0, 1, 2]


def test_who_lost_a_shard_writes_nothing_more(book: Book) -> None:
    before = taken(book)
    write(book, before, intent("a"))
    take_from(book.store, before)
    after = taken(book, before.number)

    with pytest.raises(LedgerBroken, match="took over"):
        write(book, before, ended(1))
    assert not lease_of(book, before).renew()
    assert not tell(book.store, before, Tally(sent=9))
    assert not give_back(book.store, before, Leaving(ShardState.DONE, before.tally, {("c", "POST", "201"): 1}))
    assert lease_of(book, after).renew()
    write(book, after, ended(1))
    assert (after.lost, book.store.calls(RUN.run_id)) == (1, {})


def test_who_takes_the_space_takes_all_of_its_shards_along(book: Book) -> None:
    shard = taken(book)
    lease.release(book.store, book.space_id, book.epoch)
    lease.take(book.store, book.space_id, lease.Owner.me("next"), now_ms())

    assert not lease_of(book, shard).renew()
    assert leader_of(book.store, RUN.run_id) is None
    with pytest.raises(LedgerBroken, match="took over"):
        write(book, shard, ended(1))


def test_a_closed_run_has_no_shard_to_take_and_none_that_is_written(book: Book) -> None:
    shard = taken(book)
    close(book.store, RUN.run_id)

    assert take(book.store, RUN.run_id, "", now_ms()) is None
    assert {each.state for each in shards_of(book.store, RUN.run_id)} == {ShardState.LEFT}
    with pytest.raises(LedgerBroken, match="took over"):
        write(book, shard, ended(1))


def test_a_parked_shard_is_free_when_it_is_due(book: Book) -> None:
    make = Leaving(ShardState.PARKED, Tally(), due_ms=now_ms() + 1000, until_ms=now_ms() + 9000)
    shard = taken(book, 1)
    assert give_back(book.store, shard, make)

    assert take(book.store, RUN.run_id, "", now_ms(), 1) is None
    again = take(book.store, RUN.run_id, "", now_ms() + 2000, 1)
    assert again is not None
    assert (again.part.epoch, again.until_ms) == (2, make.until_ms)


def test_what_workers_give_back_adds_up(book: Book) -> None:
    for number, calls in enumerate((2, 3)):
        tally = Tally(sent=calls, errors=1)
        tally.outcomes["onboarded"] = calls
        leaving = Leaving(ShardState.DONE, tally, {("create", "POST", "201"): calls}, counted=calls, repeated=1)
        assert give_back(book.store, taken(book, number), leaving)
    shards = shards_of(book.store, RUN.run_id)
    whole = Tally.of(each.tally for each in shards)

    assert book.store.calls(RUN.run_id) == {("create", "POST", "201"): 5}
    assert (whole.sent, whole.errors, whole.outcomes) == (5, 2, {"onboarded": 5})
    assert [(each.counted, each.repeated) for each in shards] == [(2, 1), (3, 1), (0, 0)]


def test_the_first_reason_to_stop_is_everybody_s(book: Book) -> None:
    stop_all(book.store, RUN.run_id, {"reason": "breaker"})
    stop_all(book.store, RUN.run_id, {"reason": "deadline"})
    leader = leader_of(book.store, RUN.run_id)

    assert leader is not None
    assert json.dumps(leader.stop) == '{"reason": "breaker"}'


def test_two_shards_that_claim_the_same_ids_agree_on_who_has_them(book: Book) -> None:
    shards = [taken(book), taken(book)]
    ids = [f"c-{number}" for number in range(300)]
    held: list[dict[Any, str]] = [{}, {}]

    def claim(mine: int) -> None:
        ordered = ids if mine else ids[::-1]
        claims = tuple(IdClaim("customer", each, f"key-{mine}-{each}") for each in ordered)
        found = book.store.apply(
            book.space_id, book.epoch, RUN.run_id, [Transition(claims=claims)], part=shards[mine].part
        )
        held[mine] = dict(found)

    threads = [threading.Thread(target=claim, args=(mine,)) for mine in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    refused = [{each.id for each in found} for found in held]
    assert refused[0] | refused[1] == set(ids)
    assert not refused[0] & refused[1]


def test_a_commit_whose_answer_was_lost_is_known_among_those_of_other_shards(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest events of the run are another shard's then."""
    mine, other = taken(book), taken(book)
    commit = Transitions.commit

    def lost(self: Transitions, *given: Any, again: bool) -> Any:
        found = commit(self, *given, again=again)
        if not again:
            monkeypatch.setattr(Transitions, "commit", commit)
            write(book, other, Transition(event=EventRow(2, "intent", 2, "b", "create", 1)))
            raise LedgerAway("lost")
        return found

    monkeypatch.setattr(Transitions, "commit", lost)
    write(book, mine, Transition(event=EventRow(1, "intent", 1, "a", "create", 1)))

    assert book.events() == ["a", "b"]


def test_on_a_server_shards_commit_beside_each_other_and_a_taker_of_the_space_alone(postgres: Server) -> None:
    with Store.opened(postgres.ledger()) as store:
        book = begun(store)
        make_shards(store, RUN.run_id, [(1, 1), (2, 2)])
        mine, other = taken(book), taken(book)
        with store.about_shard(RUN.run_id, mine.number).begin():
            write(book, other, ended(2))
            with pytest.raises(LedgerBroken), store.about_shard(RUN.run_id, mine.number, patience=0.0).begin():
                pass
            with pytest.raises(LedgerBroken), store.writing(0.0):
                pass
