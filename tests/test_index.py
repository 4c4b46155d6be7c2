"""A list that is read once for all: when it is read again, and for whom."""

import asyncio
from collections.abc import Sequence

from jobs.systems.messages import Reader, ReadFailed, Reply, Request
from jobs.systems.shared_list import Index


class Quiet:
    """A reader that nothing is asked of."""

    async def read(self, request: Request) -> Reply:
        raise AssertionError(request)


class Shelf:
    """A list that grows with each reading; the readings in `broken` fail."""

    def __init__(self, broken: Sequence[int] = ()) -> None:
        self.readings, self.broken = 0, broken

    async def read(self, reader: Reader) -> int:
        self.readings += 1
        number = self.readings
        await asyncio.sleep(0.01)
        if number in self.broken:
            raise ReadFailed("broken")
        return number


def test_all_rows_share_one_reading() -> None:
    async def scenario() -> None:
        shelf, reader = Shelf(), Quiet()
        index = Index(shelf.read)
        found = await asyncio.gather(*(index.reading(reader) for _ in range(20)))
        assert {(each.number, each.content) for each in found} == {(1, 1)}

    asyncio.run(scenario())


def test_a_fresh_reading_begins_after_it_was_asked_for_and_is_shared_too() -> None:
    async def scenario() -> None:
        shelf, reader, asked = Shelf(), Quiet(), asyncio.Event()

        async def once_all_have_asked(reader: Reader) -> int:
            await asked.wait()
            return await shelf.read(reader)

        index = Index(once_all_have_asked)
        under_way = asyncio.create_task(index.reading(reader))
        await asyncio.sleep(0)  # it has begun
        fresh = [asyncio.create_task(index.fresh(reader)) for _ in range(20)]
        await asyncio.sleep(0)  # each has asked
        asked.set()
        assert (await under_way).content == 1
        assert {each.content for each in await asyncio.gather(*fresh)} == {2}
        assert (await index.reading(reader)).content == 2
        assert (await index.reading(reader, after=2)).content == 3

    asyncio.run(scenario())


def test_what_another_reader_read_does_not_count() -> None:
    async def scenario() -> None:
        shelf = Shelf()
        index = Index(shelf.read)
        assert [(await index.reading(reader)).content for reader in (Quiet(), Quiet())] == [1, 2]

    asyncio.run(scenario())


def test_a_reading_that_failed_is_none_and_the_next_one_is_tried() -> None:
    async def scenario() -> None:
        shelf, reader = Shelf(broken=[1]), Quiet()
        index = Index(shelf.read)
        failed, found = await asyncio.gather(index.reading(reader), index.reading(reader), return_exceptions=True)
        assert isinstance(failed, ReadFailed)
        assert not isinstance(found, BaseException)
        assert found.content == 2

    asyncio.run(scenario())
