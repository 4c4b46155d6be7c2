"""Eclipse's lists and records as values: arrays, pages, identifiers. Nothing here decides."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from jobs import folded
from jobs.systems.eclipse.dialect import DIALECT, NOT_FOUND_CODES, codes_of
from jobs.systems.json_reply import Unreadable as Unreadable
from jobs.systems.json_reply import identifier as identifier
from jobs.systems.json_reply import moment_of as moment_of
from jobs.systems.json_reply import record_of as record_of
from jobs.systems.json_reply import records_of as records_of
from jobs.systems.json_reply import segment as segment
from jobs.systems.json_reply import text_of as text_of
from jobs.systems.messages import Reader, ReadFailed, Request

PAGE_SIZE = 20
"""The vendor: "Apply limit and offset pagination on all list endpoints. Default to limit=20." """

MAX_PAGES = 25
"""Chosen: a filter that returns more than 500 customers was ignored by the server; reading on proves nothing."""

LISTING_PAGE = 500
"""Chosen: a listing is of everybody, so that fewer and longer pages cost less; a server may give less."""

OVERLAP = 5
"""One row in so many of a page is read again with the next one (chosen): so it is seen when rows moved."""

MOST_STEPS_BACK = 50
"""Chosen: a listing whose rows go away faster than that can't be read."""


class ListRead(Protocol):
    """`read_records` or `whole`."""

    async def __call__(
        self, reader: Reader, request: Request, *, none_when_not_found: bool = True
    ) -> list[Mapping[str, Any]] | None:
        """The list, as either reads it."""
        ...


async def read_records(
    reader: Reader, request: Request, *, none_when_not_found: bool = True
) -> list[Mapping[str, Any]] | None:
    """An array read from the target; empty for "not found"; None where the target has no such operation.

    `none_when_not_found` False: None for "not found" too. Raises ReadFailed when the answer proves nothing,
    NotPermitted on 403.
    """
    reply = await reader.read(request)
    if none_when_not_found and reply.status == 404 and codes_of(reply) & NOT_FOUND_CODES:
        return []
    return None if reply.status in {404, 405, 501} else DIALECT.shown(request, reply, records_of)


async def read_record(reader: Reader, request: Request) -> Mapping[str, Any] | None:
    """One object read from the target; None when it is not there. Raises ReadFailed, NotPermitted."""
    reply = await reader.read(request)
    return None if reply.status == 404 else DIALECT.shown(request, reply)


def contradicts(record: Mapping[str, Any], field: str, wanted: str) -> bool:
    """Whether `record` says to be about another than `wanted`, an id; a member that is not there says nothing."""
    shown = record.get(field)
    return shown is not None and identifier(shown) != wanted


def denies(record: Mapping[str, Any], field: str, wanted: str | None, column: str = "") -> bool:
    """Whether a text in `record` says to be another than `wanted`; an empty one says nothing.

    `column`: of the input, where its values are compared in whatever spelling.
    """
    shown, text = record.get(field), text_of(record, field)
    return shown not in (None, "") and text != wanted and not folded.same(column, wanted, text)


async def whole(
    reader: Reader, request: Request, *, none_when_not_found: bool = True
) -> list[Mapping[str, Any]] | None:
    """A list of one customer's, read to its end; None as `read_records`.

    A page that is shorter than was asked for is the last one: the vendor has `limit` on every list. Goes on no further
    when a page brings nothing new: a server may ignore `offset`. Raises ReadFailed, NotPermitted.
    """
    found: list[Mapping[str, Any]] = []
    read = 0
    for _ in range(MAX_PAGES):
        query = (*request.query, ("limit", str(PAGE_SIZE)), ("offset", str(read)))
        page = await read_records(reader, replace(request, query=query), none_when_not_found=none_when_not_found)
        if page is None:
            if read:
                raise ReadFailed(f"{request.operation}: the list broke off after {read} entries")
            return None
        fresh = [record for record in page if record not in found]
        found += fresh
        read += len(page)
        if len(page) < PAGE_SIZE or not fresh:
            return found
    raise ReadFailed(f"{request.operation}: more than {MAX_PAGES * PAGE_SIZE} entries for one customer")


async def pages(reader: Reader, request: Request) -> AsyncIterator[Mapping[str, Any]]:
    """All records of a paged list, each once by `customerId`.

    Goes on until a page is empty or brings nothing new: servers cap or ignore `limit`, and rows move between
    pages while one reads. Raises ReadFailed past MAX_PAGES: the server ignored the filter.
    """
    seen: set[str] = set()
    read = 0
    for _ in range(MAX_PAGES):
        query = (*request.query, ("limit", str(PAGE_SIZE)), ("offset", str(read)))
        page = await read_records(reader, Request(request.operation, request.method, request.path, query))
        if page is None:
            raise ReadFailed(f"{request.operation}: the target has no such path; check base URL and tenant")
        fresh = [(found, record) for found, record in identified(page, request, "customerId") if found not in seen]
        for found, record in fresh:
            seen.add(found)
            yield record
        if not fresh:
            return
        read += len(page)
    raise ReadFailed(
        f"{request.operation}: more than {MAX_PAGES * PAGE_SIZE} hits for one person, so the filter was ignored"
    )


def identified(page: Iterable[Mapping[str, Any]], request: Request, by: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each record with its id. Raises ReadFailed for one without: it may be the very one that is looked for."""
    for record in page:
        found = identifier(record.get(by))
        if found is None:
            raise ReadFailed(f"{request.operation}: an entry has no {by}")
        yield found, record


async def listing(
    reader: Reader, request: Request, by: str = "customerId", limit: int = LISTING_PAGE
) -> AsyncIterator[list[Mapping[str, Any]]]:
    """All records of a long paged list, page by page, each once by its identifier in `by`; `limit` records a page.

    Pages overlap: one that shows nothing of the page before it means that rows in front went away, and the reading
    steps back. Behind one that is shorter than others nothing is expected any more. Ends at an empty page, or when two
    pages bring nothing new. Raises ReadFailed.
    """
    seen: set[str] = set()
    offset = barren = back = furthest = longest = 0
    while barren < 2:
        query = (*request.query, ("limit", str(limit)), ("offset", str(offset)))
        page = await read_records(reader, Request(request.operation, request.method, request.path, query))
        if page is None:
            raise ReadFailed(f"{request.operation}: the target has no such path; check base URL and tenant")
        if not page and offset >= furthest:
            return
        records = dict(identified(page, request, by))
        fresh = [found for found in records if found not in seen]
        seen.update(fresh)
        yield [records[found] for found in fresh]
        beyond = offset + len(page) > furthest
        furthest = max(furthest, offset + len(page)) if page else offset
        if offset and len(fresh) == len(records):
            back += 1
            if back > MOST_STEPS_BACK:
                raise ReadFailed(f"{request.operation}: records move faster than they can be listed")
            offset = max(0, offset - max(len(page), limit))
            continue
        if beyond:  # after a step back, pages that were read before bring nothing new
            barren = 0 if fresh else barren + 1
        longest = max(longest, len(page))
        again = 0 if len(page) < longest else max(1, len(page) // OVERLAP)
        offset += max(1, len(page) - again)
