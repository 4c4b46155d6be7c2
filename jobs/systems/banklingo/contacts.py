"""The bank's clients as lists show them: found by e-mail address, by search where that works, else by reading all.

What a search looks through is on no page. So it is tried once, with a client that is there; when it does not find
that one, the whole list is read once and kept. Nothing here decides whose a client is.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from jobs import folded
from jobs.systems.banklingo.dialect import Envelope, answer
from jobs.systems.json_reply import Unreadable, identifier, text_of, word_of
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.shared_list import Index
from jobs.value import value

PAGE_SIZE = 50
"""The vendor's default."""

MOST_PASSES = 5
"""Chosen: a list that changes during so many readings in a row can't be read."""


KEYS = ("contactencodedkey", "encodedkey")
"""The two names of a client's key, in lower case."""


@value
class Contact:
    """One client. `members` are the vendor's, names in lower case: a row of a list, or the whole record."""

    key: str
    members: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, members: object) -> "Contact":
        """From a row of a list or a record. Raises ReadFailed without a key, and for an e-mail that is no text."""
        found = members if isinstance(members, dict) else {}
        try:
            key = key_of(found, *KEYS)
            word_of(found, "emailaddress")
        except Unreadable as error:
            raise ReadFailed(f"the target lists a client that can't be read: {error}") from None
        if key is None:
            raise ReadFailed("the target lists a client without a key")
        return cls(key, found)

    def get(self, name: str) -> str | None:
        """The member `name`, in the vendor's spelling, as text."""
        return text_of(self.members, name.lower())

    @property
    def email(self) -> str:
        """The e-mail address as addresses are compared."""
        return folded.email(self.get("emailAddress") or "")

    def has_phone(self, phone: str | None) -> bool:
        """Whether the client has that phone, with its country code, in whatever spelling; or neither has one."""
        theirs = self.get("phoneNumber")
        return folded.same("phone", phone, theirs) or not (phone or theirs)


def key_of(members: Mapping[str, Any], *names: str) -> str | None:
    """The key that the first of `names` gives which is there; None: none is.

    Raises Unreadable when that is no key, or when one spelling of the key contradicts the other.
    """
    given = [(name, members[name]) for name in names if members.get(name) not in (None, "")]
    found = identifier(given[0][1]) if given else None
    if given and found is None:
        raise Unreadable(f"its {given[0][0]} is no key")
    if any(name in KEYS and identifier(value) != found for name, value in given):
        raise Unreadable("its keys contradict each other")
    return found


@value
class Everybody:
    """All clients of one reading."""

    by_key: Mapping[str, Contact]
    by_email: Mapping[str, Sequence[Contact]]


class Contacts:
    """The lists of one bank, shared by all rows of a run."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.numbers: dict[str, str] = {}
        """The `id` of clients that rows of this run led to, by key; a list shows none."""
        self.index = Index(self._all)
        self._searching = asyncio.Lock()
        self._search_finds: bool | None = None

    async def with_email(self, reader: Reader, email: str, *, anew: bool) -> list[Contact]:
        """All clients with that e-mail address, in whatever spelling. `anew`: not from a list read before this call.

        Raises ReadFailed.
        """
        wanted = folded.email(email)
        if await self.searchable(reader):
            return [each async for page in self.scan(reader, email) for each in page if each.email == wanted]
        reading = await (self.index.fresh(reader) if anew else self.index.reading(reader))
        return list(reading.content.by_email.get(wanted, ()))

    async def _all(self, reader: Reader) -> Everybody:
        by_key: dict[str, Contact] = {}
        by_email: defaultdict[str, list[Contact]] = defaultdict(list)
        async for page in self.scan(reader, None):
            for each in page:
                by_key[each.key] = each
                by_email[each.email].append(each)
        return Everybody(by_key, dict(by_email))

    async def searchable(self, reader: Reader) -> bool:
        """Whether a search finds a client that is there, in whatever case, and not everybody.

        Not known while there is nobody at all.
        """
        async with self._searching:
            if self._search_finds is None:
                self._search_finds = await self._tried(reader)
            return self._search_finds is not False

    async def _tried(self, reader: Reader) -> bool | None:
        total, listed = await self._page(reader, None, 1)
        if not listed:
            return None  # a search among nobody is right whatever it looks through
        sample = next((each for each in listed if each.email), None)
        if sample is None:
            return False
        shown = sample.get("emailAddress") or ""
        other = shown.lower() if shown != shown.lower() else shown.upper()
        hits, found = await self._page(reader, other, 1)
        ignored = total is not None and total > PAGE_SIZE and hits == total
        return sample.key in {each.key for each in found} and not ignored

    async def scan(
        self, reader: Reader, term: str | None, more: Mapping[str, object] | None = None
    ) -> AsyncIterator[list[Contact]]:
        """The clients of a search (None: all), each once, page by page; read again when the total moved meanwhile.

        `more`: further members of the query.

        Raises ReadFailed.
        """
        seen: set[str] = set()
        for _ in range(MOST_PASSES):
            passed: set[str] = set()
            first: int | None = None
            number, steady, over = 1, True, False
            while steady and not over:
                total, page = await self._page(reader, term, number, more)
                first = total if number == 1 else first
                fresh = {each.key: each for each in page if each.key not in passed}
                passed |= fresh.keys()
                yield [each for key, each in fresh.items() if key not in seen]
                seen |= fresh.keys()
                over = not page or (total is not None and len(passed) >= total)
                steady = total == first and (bool(fresh) or over) and (not over or len(passed) >= (total or 0))
                number += 1
            if steady:
                return
        raise ReadFailed("list_contacts: the list changes faster than it can be read, or its pages don't add up")

    async def total(self, reader: Reader) -> int | None:
        """How many clients there are; None where the list does not say it. Raises ReadFailed."""
        return (await self._page(reader, None, 1))[0]

    async def _page(
        self, reader: Reader, term: str | None, number: int, more: Mapping[str, object] | None = None
    ) -> tuple[int | None, list[Contact]]:
        """One page: the total of all pages (None: not given), and its clients."""
        wanted: dict[str, object] = {"pageNumber": number, "pageSize": PAGE_SIZE, **(more or {})}
        if term is not None:
            wanted["searchTerm"] = term
        content = await answer(reader, self.envelope.query("list_contacts", "RetrieveContactListQuery", wanted))
        rows = None if content is None else content.get("contacts")
        if content is None or not isinstance(rows, list):
            raise ReadFailed("list_contacts: the reply has no list of contacts")
        total = content.get("totalcount")
        return total if type(total) is int else None, [Contact.of(row) for row in rows]

    async def record(self, reader: Reader, number: str) -> Contact | None:
        """The whole record of the client with that `id`; None when there is none. Raises ReadFailed."""
        query = self.envelope.query("retrieve_contact", "RetrieveContactByIdQuery", {"id": int(number)})
        content = await answer(reader, query)
        if content is None:
            return None
        if text_of(content, "id") != number:
            raise ReadFailed("retrieve_contact: the record is not the one that was asked for")
        return Contact.of(content)
