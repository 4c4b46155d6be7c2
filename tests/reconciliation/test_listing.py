"""A long list that moves while it is read is read as a whole; pure, the target is a list."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import pytest

from jobs.systems.eclipse import wire
from jobs.systems.messages import ReadFailed, Reply, Request

LIST = Request("search_customers", "GET", "/customers")


class Moving:
    """Answers pages of `customers`; `before` each page something may happen to them. `most`: its own cap of a page."""

    def __init__(self, count: int, before: Callable[[list[int], int], None], most: int = 1000) -> None:
        self.customers, self.before, self.most, self.pages = list(range(count)), before, most, 0

    async def read(self, request: Request) -> Reply:
        self.before(self.customers, self.pages)
        self.pages += 1
        query = dict(request.query)
        offset, limit = int(query["offset"]), min(int(query["limit"]), self.most)
        body = [{"customerId": f"C{number}"} for number in self.customers[offset : offset + limit]]
        return Reply(200, {}, orjson.dumps(body), datetime.now(UTC))


def listed(target: Moving) -> list[int]:
    async def all_pages() -> list[int]:
        pages = [page async for page in wire.listing(target, LIST)]
        return [int(str(record["customerId"])[1:]) for page in pages for record in page]

    return asyncio.run(all_pages())


def still(_customers: list[int], _page: int) -> None:
    pass


@pytest.mark.parametrize("count", [0, 1, 2, 99, 100, 101, 180, 1000])
@pytest.mark.parametrize("most", [1000, 20])
def test_every_customer_is_listed_once(count: int, most: int) -> None:
    assert listed(Moving(count, still, most)) == list(range(count))


@pytest.mark.parametrize("gone", [5, 19, 20, 21, 60, 100, 150])
def test_customers_that_go_away_in_front_take_nobody_with_them(gone: int) -> None:
    def remove(customers: list[int], page: int) -> None:
        if page in {2, 4}:
            del customers[:gone]

    target = Moving(900, remove)
    found = listed(target)
    assert set(target.customers) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("page", [8, 9, 10, 11])
def test_customers_that_go_away_near_the_end_take_nobody_with_them(page: int) -> None:
    def remove(customers: list[int], now: int) -> None:
        if now == page:
            del customers[:150]

    target = Moving(900, remove)
    assert set(target.customers) <= set(listed(target))


@pytest.mark.parametrize("new", [1, 50, 79, 80, 81, 110])
def test_customers_that_come_in_front_hide_nobody(new: int) -> None:
    def insert(customers: list[int], page: int) -> None:
        if page == 3:
            customers[:0] = range(10_000, 10_000 + new)

    found = listed(Moving(900, insert))
    assert set(range(900)) <= set(found)
    assert len(found) == len(set(found))


def test_a_server_that_ignores_the_offset_ends_the_listing() -> None:
    class Deaf(Moving):
        async def read(self, request: Request) -> Reply:
            return await super().read(Request("list", "GET", "/", (("limit", "100"), ("offset", "0"))))

    target = Deaf(300, still)
    assert (listed(target), target.pages) == (list(range(100)), 3)


def test_customers_that_move_too_fast_are_no_listing() -> None:
    def renewed(customers: list[int], page: int) -> None:
        customers[:] = range(page * 1000, page * 1000 + 1000)

    with pytest.raises(ReadFailed, match="move faster"):
        listed(Moving(1000, renewed))
