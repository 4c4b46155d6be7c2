"""Group commit: order, one transaction for all that waits, durable before it is believed, and an end that is heard."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from books import Book, SetClock, begun, ended, intent, now_ms, record
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from jobs.clock import Clock
from jobs.ledger import lease, tables
from jobs.ledger.broken import LedgerBroken
from jobs.ledger.rows import Transition
from jobs.ledger.store import Store
from jobs.ledger.transitions import Fenced
from jobs.ledger.writer import MOST_AT_ONCE, Offload, Writer


@pytest.fixture
def book(mostly: str) -> Iterator[Book]:
    with Store.opened(mostly) as store:
        yield begun(store)


def writer_of(book: Book, offload: Offload = asyncio.to_thread) -> Writer:
    return Writer(book.store, book.space_id, book.epoch, book.run_id, offload)


class Gated:
    """Offloads when it is let, and keeps the size of each group."""

    def __init__(self) -> None:
        self.let, self.groups = asyncio.Event(), list[int]()
        self.came = asyncio.Event()
        """A first group is at the gate."""

    async def __call__(self, function: Callable[..., None], *arguments: Any) -> None:
        groups: Sequence[Transition] = arguments[-1]
        self.groups.append(len(groups))
        self.came.set()
        await self.let.wait()
        await asyncio.to_thread(function, *arguments)


async def failing(_function: object, *_: object) -> None:
    raise OperationalError("INSERT", {"phone": "27821234567"}, Exception("database or disk is full"))


def test_what_is_acknowledged_is_durable_with_all_that_was_asked_for_before(book: Book, tmp_path: Path) -> None:
    async def work() -> list[str]:
        async with writer_of(book) as writer:
            for number in range(50):
                await writer.post(intent(f"k{number:02}"))
            await writer.commit(intent("last"))
            with Store.opened(book.store.url) as other:
                return Book(other, book.space_id, book.epoch).events()

    assert asyncio.run(work()) == [*(f"k{number:02}" for number in range(50)), "last"]


def test_writes_are_applied_in_the_order_of_asking(book: Book) -> None:
    async def work() -> None:
        async def one(number: int) -> None:
            for attempt in range(5):
                await writer.commit(intent(f"k{number}", attempt))

        async with writer_of(book) as writer:
            await asyncio.gather(*(one(number) for number in range(20)))

    asyncio.run(work())

    attempts: dict[str, list[int]] = {}
    for event in list(book.store.events(book.run_id))[1:]:
        attempts.setdefault(event["key"], []).append(event["attempt"])
    assert attempts == {f"k{number}": list(range(5)) for number in range(20)}


def test_all_that_waits_while_a_commit_runs_goes_into_the_next_one(book: Book) -> None:
    async def work() -> list[int]:
        gated = Gated()
        async with writer_of(book, gated) as writer:
            first = asyncio.create_task(writer.commit(intent("first")))
            await gated.came.wait()
            rest = [asyncio.create_task(writer.commit(intent(f"k{number}"))) for number in range(300)]
            await asyncio.sleep(0.01)
            assert not first.done()
            gated.let.set()
            await asyncio.gather(first, *rest)
        return gated.groups

    assert asyncio.run(work()) == [1, 300]


def test_a_commit_is_not_acknowledged_before_it_is_durable(book: Book) -> None:
    async def work() -> None:
        gated = Gated()
        async with writer_of(book, gated) as writer:
            waiting = asyncio.create_task(writer.commit(intent("a")))
            await gated.came.wait()
            assert not waiting.done()
            assert book.events() == []
            gated.let.set()
            await waiting
            assert book.events() == ["a"]

    asyncio.run(work())


def test_a_waiter_that_is_cancelled_harms_nobody_and_its_entry_is_written(book: Book) -> None:
    async def work() -> None:
        gated = Gated()
        async with writer_of(book, gated) as writer:
            waiting = [asyncio.create_task(writer.commit(intent(f"k{number}"))) for number in range(3)]
            await asyncio.sleep(0.01)
            waiting[1].cancel()
            await asyncio.sleep(0)
            gated.let.set()
            await asyncio.gather(waiting[0], waiting[2])
            await writer.commit(intent("after"))

    asyncio.run(work())

    assert book.events() == ["k0", "k1", "k2", "after"]


def test_leaving_writes_all_that_was_posted(book: Book) -> None:
    async def work() -> None:
        async with writer_of(book) as writer:
            for number in range(1, 101):
                await writer.post(ended(number))

    asyncio.run(work())

    assert book.store.settled_rows(book.run_id) == 100


@pytest.mark.few(1)
def test_posting_waits_while_the_queue_is_full(book: Book) -> None:
    async def work() -> int:
        gated, posted = Gated(), 0

        async def post() -> None:
            nonlocal posted
            for number in range(3 * MOST_AT_ONCE):
                await writer.post(ended(number + 1))
                posted += 1

        async with writer_of(book, gated) as writer:
            posting = asyncio.create_task(post())
            await asyncio.sleep(0.1)
            stuck_at = posted
            gated.let.set()
            await posting
        assert max(gated.groups) <= MOST_AT_ONCE
        return stuck_at

    assert asyncio.run(work()) < 2 * MOST_AT_ONCE
    assert book.store.settled_rows(book.run_id) == 3 * MOST_AT_ONCE


def test_after_a_failed_commit_every_waiter_and_every_later_call_hears_of_it(book: Book) -> None:
    heard: list[object] = []

    async def work() -> None:
        async with writer_of(book, failing) as writer:
            calls = [writer.commit(intent(f"k{number}")) for number in range(16)]
            heard.extend(await asyncio.gather(*calls, return_exceptions=True))
            for call in (writer.commit, writer.post):
                with pytest.raises(LedgerBroken) as caught:
                    await call(intent("later"))
                heard.append(caught.value)

    with pytest.raises(LedgerBroken):
        asyncio.run(work())
    assert {str(each) for each in heard} == {"the ledger can't be written: database or disk is full"}
    assert len(heard) == 18
    assert book.events() == []


def test_the_loss_of_what_was_only_posted_is_heard_on_leaving(book: Book) -> None:
    async def work() -> None:
        async with writer_of(book, failing) as writer:
            await writer.post(ended(1))

    with pytest.raises(LedgerBroken):
        asyncio.run(work())


def test_leaving_after_an_error_of_the_block_keeps_that_error(book: Book) -> None:
    async def work() -> None:
        async with writer_of(book, failing) as writer:
            await writer.post(ended(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work())


def test_a_full_queue_does_not_hold_a_poster_for_ever_when_the_ledger_breaks(book: Book) -> None:
    async def work() -> None:
        async with writer_of(book, failing) as writer:
            for number in range(2 * MOST_AT_ONCE):
                await writer.post(ended(number + 1))

    with pytest.raises(LedgerBroken):
        asyncio.run(asyncio.wait_for(work(), 30))


def test_a_writer_that_was_fenced_off_says_so(book: Book) -> None:
    async def work() -> None:
        async with writer_of(book) as writer:
            await writer.commit(intent("a"))
            lease.release(book.store, book.space_id, book.epoch)
            lease.take(book.store, book.space_id, lease.Owner.me("next"), now_ms())
            await writer.commit(intent("b"))

    with pytest.raises(Fenced):
        asyncio.run(work())
    assert book.events() == ["a"]


@pytest.mark.parametrize("reason", [7.5, object()])
def test_a_value_that_no_database_can_hold_breaks_the_writer_and_leaves_nobody_waiting(
    book: Book, reason: object
) -> None:
    async def work() -> None:
        async with writer_of(book) as writer:
            await asyncio.wait_for(writer.commit(Transition(record("a", reason=reason))), 5)

    with pytest.raises(LedgerBroken, match="refuses a row") as caught:
        asyncio.run(work())
    assert "cust" not in caught.value.message


def test_a_second_outcome_of_a_row_is_no_matter_of_disk_space(book: Book) -> None:
    async def work() -> None:
        async with writer_of(book) as writer:
            await writer.commit(ended(1))
            await writer.commit(ended(1))

    with pytest.raises(LedgerBroken, match="refuses a row"):
        asyncio.run(work())


def test_a_writer_that_has_ended_takes_nothing_more(book: Book) -> None:
    async def work() -> None:
        async with writer_of(book) as writer:
            pass
        await asyncio.wait_for(writer.commit(intent("a")), 5)

    with pytest.raises(AssertionError):
        asyncio.run(work())


def leased(book: Book, clock: Clock) -> Writer:
    mine = lease.Lease(book.store, book.space_id, book.epoch, clock, lease.PULSE, clock.monotonic())
    return Writer(book.store, book.space_id, book.epoch, book.run_id, lease=mine)


@pytest.mark.parametrize("away", [0.0, 14.9, 15.1, 3600.0])
def test_an_owner_that_could_not_beat_proves_that_it_has_the_lease_before_anything_is_sent(
    book: Book, away: float
) -> None:
    clock = SetClock()

    async def work() -> None:
        async with leased(book, clock) as writer:
            clock.seconds += away
            await writer.commit(intent("a"))

    before = beats(book)
    asyncio.run(work())
    assert beats(book) == before + (away > 15)


def test_an_owner_that_was_frozen_behind_its_commit_sends_nothing_once_another_one_works(book: Book) -> None:
    clock = SetClock()
    apply = book.store.apply

    def frozen(*arguments: Any) -> Any:
        done = apply(*arguments)
        lease.release(book.store, book.space_id, book.epoch)
        lease.take(book.store, book.space_id, lease.Owner.me("next"), now_ms())
        clock.seconds += 60
        return done

    async def work() -> None:
        async with leased(book, clock) as writer:
            writer.store.apply = frozen  # type: ignore[method-assign]
            await writer.commit(intent("a"))

    with pytest.raises(Fenced):
        asyncio.run(work())
    assert book.events() == ["a"]


def test_an_owner_that_can_not_reach_the_ledger_for_a_beat_sends_nothing(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock()

    def cut_off(*_: object) -> bool:
        raise LedgerBroken("away")

    async def work() -> None:
        async with leased(book, clock) as writer:
            monkeypatch.setattr(lease, "beat", cut_off)
            clock.seconds += 16
            await writer.commit(intent("a"))

    with pytest.raises(LedgerBroken, match="away"):
        asyncio.run(work())


def beats(book: Book) -> int:
    with book.store.engine.connect() as connection:
        return int(connection.scalar(select(tables.space.c.beats)) or 0)
