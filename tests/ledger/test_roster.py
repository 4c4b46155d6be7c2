"""How the shards of a run stand, look by look: what reading all of them would say, at the cost of the few in hand."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from books import RUN, Book, begun, now_ms

from jobs.ledger import roster
from jobs.ledger.readings import Reading, forget_readings, lines_of, shards_read
from jobs.ledger.roster import Roster
from jobs.ledger.shards import (
    ENDED,
    Leaving,
    Shard,
    ShardState,
    give_back,
    make_shards,
    shards_of,
    take,
    take_from,
    tell,
)
from jobs.ledger.store import Store
from jobs.ledger.tally import Tally

SHARDS = 60


@pytest.fixture
def book(either: str) -> Iterator[Book]:
    with Store.opened(either) as store:
        book = begun(store)
        make_shards(store, RUN.run_id, [(row, row) for row in range(1, SHARDS + 1)])
        yield book


def taken(book: Book) -> Shard:
    shard = take(book.store, RUN.run_id, "worker-0", now_ms())
    assert shard is not None
    return shard


def ended(rows: int) -> Tally:
    return Tally(Counter({"onboarded": rows}), sent=rows, in_a_row=1)


def test_each_look_says_what_reading_all_shards_says(book: Book) -> None:
    looked, late, chance = Roster(book.store, RUN.run_id), Roster(book.store, RUN.run_id), Random(7)
    mine: list[Shard] = []
    for step in range(50):
        if not mine or chance.random() < 0.5:
            mine.append(taken(book))
        shard = mine.pop(chance.randrange(len(mine)))
        what = chance.choice(["tell", "done", "done", "parked", "open", "lost"])
        if what == "tell":
            tell(book.store, shard, ended(step))
            mine.append(shard)
        elif what == "lost":
            take_from(book.store, shard)
        else:
            state = {"done": ShardState.DONE, "parked": ShardState.PARKED, "open": ShardState.OPEN}[what]
            give_back(book.store, shard, Leaving(state, ended(step), due_ms=now_ms() + 10**9))
        looked.look(most_open=3)

        every = shards_of(book.store, RUN.run_id)
        assert looked.taken == [each for each in every if each.state is ShardState.TAKEN]
        assert looked.open == min(3, sum(each.state is ShardState.OPEN for each in every))
        assert looked.all_ended == all(each.state in ENDED for each in every)
        sent = sum(each.tally.sent for each in every)
        assert looked.tally().sent == looked.tally().outcomes["onboarded"] == sent
        assert looked.tally().in_a_row == sum(each.tally.in_a_row for each in looked.taken)
    late.look()
    assert late.tally() == looked.tally()
    if looked.taken:
        held = looked.taken[0]
        assert looked.tally(but=held.number).sent == sent - held.tally.sent


def test_a_look_reads_the_shards_in_hand_and_no_others(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, read, real = Roster(book.store, RUN.run_id), list[int](), roster.shard_of_row
    monkeypatch.setattr(roster, "shard_of_row", lambda row: read.append(row["shard"]) or real(row))
    looked.look()
    for _ in range(30):
        give_back(book.store, taken(book), Leaving(ShardState.DONE, ended(1)))
    looked.look()
    held = [taken(book), taken(book)]
    read.clear()
    looked.look(most_open=2)

    assert read == [each.number for each in held]
    assert (looked.open, looked.tally().sent) == (2, 30)


def test_a_reading_is_kept_with_the_end_of_its_shard_or_not_at_all(book: Book) -> None:
    reading = Reading('{"class": ["match"]}', 1, {"causes": {}, "complete": 0})
    fenced, shard = taken(book), taken(book)
    take_from(book.store, fenced)

    assert not give_back(book.store, fenced, Leaving(ShardState.DONE, ended(1), reading=reading))
    assert give_back(book.store, shard, Leaving(ShardState.DONE, ended(1), reading=reading))
    [kept] = shards_read(book.store, RUN.run_id)
    assert (kept.shard, kept.first_row, kept.last_row, kept.complete) == (1, 2, 2, 1)
    assert lines_of(book.store, RUN.run_id, 1) == reading.lines
    forget_readings(book.store, book.space_id)
    assert not shards_read(book.store, RUN.run_id)
