"""Looking customers up at the target: one by what is known of it, or a whole list of keys. It only reads.

It finds and shows; several hits are named, and never chosen among. What is shown to others is masked here.
"""

import asyncio
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from math import inf
from pathlib import Path

from jobs.clock import Clock
from jobs.errors import Unreachable, Unusable
from jobs.intake.key_list import Key, KeyList
from jobs.ledger.place import place_of
from jobs.ledger.store import Store
from jobs.privacy import masking
from jobs.privacy.masking import Mask
from jobs.progress import Count, Lines
from jobs.reports.folder import RunFolder
from jobs.reports.spreadsheet import guard
from jobs.run.throttling import saying
from jobs.run.wiring import connected, credential_of, outage_of, system_of
from jobs.settings.pseudonyms import key_is_there
from jobs.settings.settings import Settings
from jobs.side_by_side import side_by_side
from jobs.systems.contract import System
from jobs.systems.messages import ReadFailed
from jobs.systems.optional import Portal, Profiled, Searchable, Staffed
from jobs.systems.sighting import Profile
from jobs.transport.client import Client
from jobs.transport.outage import START_SECONDS
from jobs.value import value
from jobs.windows import A_LOOKUP

HEADER = ("source_row", "key_masked", "hits", "customer_id", "status", "decision_status", "wallets", "note")
"""The columns of a result."""

BALANCE = "balance"
"""Fields with this in their names are left out, not starred: the number of digits tells too much."""

Record = Mapping[str, str]

Choose = Callable[[Sequence[Record]], int | None]
"""Asks which of several customers is meant; the place of the one, None: none of them."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")


def masked(record: Record, plain: Collection[str]) -> dict[str, str]:
    """A record as it may be shown: the fields in `plain` as they are, all others masked, no balance."""
    return {name: mask(name, plain)(value) for name, value in record.items() if BALANCE not in name.casefold()}


def mask(name: str, plain: Collection[str]) -> Mask:
    """How the field `name` is shown (its last part, where it is dotted); an unknown one as an identity number."""
    if name.rpartition(".")[2] in plain:
        return _as_it_is
    folded = name.casefold()
    kinds: dict[str, Mask] = {
        "mail": masking.email,
        "phone": masking.phone,
        "mobile": masking.phone,
        "name": masking.name,
    }
    return next((rule for kind, rule in kinds.items() if kind in folded), masking.identity)


def _as_it_is(value: str | None) -> str:
    return value or ""


def masked_profile(profile: Profile, plain: Collection[str]) -> Profile:
    """A profile as it may be shown."""
    wallets = None if profile.wallets is None else [masked(wallet, plain) for wallet in profile.wallets]
    return replace(profile, fields=masked(profile.fields, plain), wallets=wallets)


@value
class Desk:
    """A connection that looks up. `profiled` None: the system shows no profiles."""

    system: System
    client: Client
    profiled: Profiled | None

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings, clock: Clock, *, most: float = START_SECONDS) -> "AsyncIterator[Desk]":
        """Logged in, with the reader's credential if there is one; limits that a ledger keeps are kept here too.

        A target that does not answer is waited for `most` seconds: somebody sits in front of it. Raises Unreachable.
        """
        system = system_of(settings, reading=True)
        profiled = system if system.capabilities.profiles and isinstance(system, Profiled) else None
        with ExitStack() as stack:
            there = ledger_is_whole(settings.ledger)
            store = stack.enter_context(Store.opened(settings.ledger, create=False)) if there else None
            given = credential_of(settings, reading=True)
            outage, hear = outage_of(settings, clock, most=most), saying(Lines())
            opening = connected(settings, system, given, clock, store=store, outage=outage, hear=hear)
            async with opening as client:
                yield cls(system, client, profiled)

    async def found(self, wanted: Record) -> Sequence[Record]:
        """All customers that fit. Raises Unreachable when the target could not be read, NotPermitted."""
        try:
            return await self.system.find(self.client, wanted)
        except ReadFailed as error:
            raise unread(error) from None

    async def profile(self, customer_id: str) -> Profile | None:
        """All about one customer; None when the target knows none. Raises as `found`."""
        assert self.profiled is not None
        try:
            return await self.profiled.profile(self.client, customer_id)
        except ReadFailed as error:
            raise unread(error) from None

    async def answer(self, key: Key, by: str) -> "Answer":
        """What one key of a list leads to. Raises NotPermitted."""
        if key.value is None:
            return Answer(key, note="invalid")
        try:
            hits = await self.system.find(self.client, {by.replace("-", "_"): key.value})
            if len(hits) != 1:
                return Answer(key, [str(hit.get("customerId", "")) for hit in hits], note="several" if hits else "none")
            ids = [str(hits[0].get("customerId", ""))]
            members = self.system.capabilities.status_members
            status = next((hits[0][name] for name in members if name in hits[0]), "")
            able = self.system.capabilities
            if self.profiled is None or not (able.wallets or able.decision):
                return Answer(key, ids, status)
            profile = await self.profiled.profile(self.client, ids[0]) or Profile(hits[0])
        except ReadFailed:
            return Answer(key, note="unreadable")
        wallets = [wallet.get("walletId", "") for wallet in profile.wallets or ()]
        return Answer(key, ids, status, profile.decision or "", wallets)


def ledger_is_whole(ledger: str) -> bool:
    """Whether there is a ledger with its key at the URL; a look-up makes neither."""
    return place_of(ledger).exists() and key_is_there(ledger)


@value
class Answer:
    """One line of a result. `note`: empty for exactly one hit, else none, several, unreadable or invalid."""

    key: Key
    customer_ids: Sequence[str] = ()
    status: str = ""
    decision: str = ""
    wallets: Sequence[str] = ()
    note: str = ""

    def line(self) -> list[str]:
        """The cells below HEADER."""
        ids = ";".join(self.customer_ids)
        hits = "" if self.note in {"unreadable", "invalid"} else str(len(self.customer_ids))
        cells = (self.key.masked, hits, ids, self.status, self.decision, ";".join(self.wallets), self.note)
        return [str(self.key.source_row), *(guard(cell) for cell in cells)]


def unread(error: ReadFailed) -> Unreachable:
    """The sentence for a target that gave no usable answer."""
    trace = f" (trace {error.trace.trace_id})" if error.trace.trace_id else ""
    return Unreachable(f"the target could not be read: {error.reason}{trace}", hint="run it again")


async def look_up(
    settings: Settings, clock: Clock, wanted: Record, *, full: bool = False, choose: Choose | None = None
) -> tuple[Sequence[Record], Profile | None]:
    """All customers that fit; and with `full`, where just one does, all about it. Raises Unreachable, NotPermitted.

    `choose`: asks a person which of several is meant; who says none of them leaves all in the list.
    """
    async with Desk.opened(settings, clock) as desk:
        found = await desk.found(wanted)
        if len(found) > 1 and choose is not None and (place := await asyncio.to_thread(choose, found)) is not None:
            found = [found[place]]
        profile = await desk.profile(found[0]["customerId"]) if full and len(found) == 1 else None
        return found, profile


@value
class Question:
    """What only some systems can be asked: which, how, and what is said of one that can't."""

    able: type
    ask: Callable[..., Awaitable[Sequence[Record]]]
    lacks: str


SEARCH = Question(Searchable, lambda system, *asked: system.search(*asked), "is not searched by predicates")
PORTAL_USERS = Question(Portal, lambda system, *asked: system.portal_users(*asked), "lists no portal users")
EMPLOYEES = Question(Staffed, lambda system, *asked: system.employees(*asked), "lists no employees")


async def listed(settings: Settings, clock: Clock, question: Question, *more: object) -> Sequence[Record]:
    """What the target answers, as flat text; `more`: what the question carries.

    Raises Unusable, Unreachable, NotPermitted.
    """
    async with Desk.opened(settings, clock) as desk:
        if not isinstance(desk.system, question.able):
            raise Unusable(f"{desk.system.capabilities.title} {question.lacks}")
        try:
            return await question.ask(desk.system, desk.client, *more)
        except ReadFailed as error:
            raise unread(error) from None


async def look_up_all(settings: Settings, clock: Clock, keys: KeyList, target: Path, count: Count) -> Counter[str]:
    """Looks up every key of the list and writes `target`, whole or not at all, mode 0600; gives the rows by note.

    An earlier `target` is replaced. Raises Unusable, NotPermitted, Unreachable.
    """
    refuse_target(keys, target)
    notes: Counter[str] = Counter()
    async with Desk.opened(settings, clock, most=inf) as desk:
        with RunFolder.existing(target.parent.resolve()).open_atomic(target.name) as draft, draft.open("ab") as file:
            file.write(_lines([HEADER]))
            for window in windows(iter(keys)):
                answers = await answered(desk, window, keys.by, settings.concurrency, count)
                file.write(_lines(answer.line() for answer in answers))
                notes.update(answer.note or "found" for answer in answers)
    return notes


def refuse_target(keys: KeyList, target: Path) -> None:
    """Raises Unusable when the result would take the place of the list, or can't be made there."""
    if target.exists() and target.samefile(keys.file.path):
        raise Unusable(f"--to: {target} is the list itself")
    refuse_place(target)


def refuse_place(target: Path) -> None:
    """Raises Unusable when a file can't be made there."""
    if not target.parent.is_dir():
        raise Unusable(f"--to: there is no folder {target.parent}")
    if target.is_dir():
        raise Unusable(f"--to: {target} is a folder")
    if not _FILE_NAME.fullmatch(target.name):
        raise Unusable("--to: a plain file name is needed", hint="letters, digits, '.', '_' and '-'")


def windows(keys: Iterator[Key]) -> Iterator[list[Key]]:
    """The keys, A_LOOKUP at a time."""
    while window := list(itertools.islice(keys, A_LOOKUP)):
        yield window


async def answered(desk: Desk, keys: Sequence[Key], by: str, workers: int, count: Count) -> list[Answer]:
    """The answers in the order of the keys; `workers` are looked up at the same time."""

    async def work(key: Key) -> Answer:
        answer = await desk.answer(key, by)
        count.advance()
        return answer

    return await side_by_side(work, keys, workers)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
