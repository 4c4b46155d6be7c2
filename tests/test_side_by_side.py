"""Many things at the same time, and never more than so many."""

import asyncio

import pytest

from jobs.side_by_side import side_by_side


def test_results_come_in_the_order_of_the_items_and_no_more_are_under_way_than_allowed() -> None:
    working, most = 0, 0

    async def work(number: int) -> int:
        nonlocal working, most
        working += 1
        most = max(most, working)
        for _ in range(10 - number):  # the later one is ready earlier
            await asyncio.sleep(0)
        working -= 1
        return number * 2

    assert asyncio.run(side_by_side(work, range(10), 3)) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert most == 3
    assert asyncio.run(side_by_side(work, [], 3)) == []


def test_the_first_failure_is_told_as_it_is_and_the_others_have_ended() -> None:
    ended = []

    async def work(number: int) -> None:
        try:
            if number == 1:
                raise LookupError("no such row")
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    with pytest.raises(LookupError, match="no such row"):
        asyncio.run(side_by_side(work, range(8), 4))
    assert sorted(ended) == [0, 1, 2, 3][: len(ended)]
    assert 1 in ended
