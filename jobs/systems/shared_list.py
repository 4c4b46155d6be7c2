"""What a target's whole list shows: read once for all rows, and again only for who needs it newer. It judges nothing.

Lists are long and reads are limited, so a row never reads one for itself. Readings are numbered: a row that needs one
that began after now asks for one behind the newest that has begun, and all rows that ask meanwhile share it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from jobs.systems.messages import Reader
from jobs.value import value

Content = TypeVar("Content")


@value
class Reading(Generic[Content]):
    """One reading of the list; of two, the one with the higher number began later. The first is 1."""

    number: int
    content: Content


class Index(Generic[Content]):
    """The newest reading of one list. `read` reads all of it, or raises: half a list is no reading."""

    def __init__(self, read: Callable[[Reader], Awaitable[Content]]) -> None:
        self._read = read
        self._begun = 0
        self._newest: tuple[Reader, Reading[Content]] | None = None
        self._single = asyncio.Lock()

    async def reading(self, reader: Reader, after: int = 0) -> Reading[Content]:
        """A reading through `reader` with a number above `after`: the newest one if it is, else a new one.

        What another reader read does not count: a reconciliation must not rely on what the onboarding saw. Raises
        whatever `read` raises.
        """
        if (found := self._found(reader, after)) is not None:
            return found
        async with self._single:
            if (found := self._found(reader, after)) is not None:
                return found
            self._begun += 1
            made = Reading(self._begun, await self._read(reader))
            self._newest = reader, made
            return made

    @property
    def latest(self) -> Content | None:
        """What the newest reading showed, through whichever reader; None before the first."""
        return None if self._newest is None else self._newest[1].content

    async def fresh(self, reader: Reader) -> Reading[Content]:
        """A reading that begins after this call."""
        return await self.reading(reader, after=self._begun)

    def _found(self, reader: Reader, after: int) -> Reading[Content] | None:
        if self._newest is None or self._newest[0] is not reader or self._newest[1].number <= after:
            return None
        return self._newest[1]
