"""Profiles as PDF or as data: one file for each customer of a run, in a private folder, fetched within the limit.

Files are whole or absent, so a download that was broken off is gone on with where it stopped.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from jobs.clock import Clock
from jobs.errors import NotPermitted, Unusable
from jobs.evidence.manifest import MANIFEST, facts_of
from jobs.evidence.sums import SUMS, files_of
from jobs.ledger.erase import erased
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.privacy import age_files
from jobs.progress import Progress
from jobs.publishing.place import folder_of
from jobs.publishing.sealing import chained, check_later_standing, seal
from jobs.reports.folder import RunFolder
from jobs.run.throttling import saying
from jobs.run.wiring import connected, credential_of, outage_of, system_of
from jobs.settings.settings import Settings
from jobs.side_by_side import side_by_side
from jobs.systems.contract import System
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.optional import Downloadable
from jobs.value import value

PREFIXES = {"pdf": "profiles-", "json": "profiles-json-"}
"""What the folders of downloads are named by, inside that of their run: the time follows. By form."""

PDF, END = b"%PDF-", b"%%EOF"
"""How a PDF begins, and what stands within its last KiB."""

NOT_OURS = frozenset({Outcome.CONFLICT, Outcome.QUARANTINED, Outcome.NOT_ATTEMPTED})
"""Outcomes of rows whose customer, if one was named, is somebody else's."""


@value
class Customer:
    """One customer of the run, with what the ledger knows of it."""

    source_row: int
    customer_id: str
    facts: Mapping[str, str]

    def file(self, ending: str) -> str:
        """What its file is named. `ending`: the form, and behind it that of an encrypted file, where it is one."""
        return f"{self.customer_id}.{ending}"


@dataclass(slots=True)
class Downloads:
    """What came of it. `failed`: source row and reason; nothing in it is personal."""

    folder: Path
    written: int = 0
    there: int = 0
    """Files that an earlier, broken-off download had left."""
    failed: list[tuple[int, str]] = field(default_factory=list)


def download(
    run: RunRow, settings: Settings, to: Path | None, clock: Clock, progress: Progress, *, form: str = "pdf"
) -> Downloads:
    """Fetches the profiles of all customers of `run` into `to`, or into a folder in that of the run (PREFIXES).

    Raises Unusable before anything is read: nothing to download, a system without it, a folder that others may read.
    """
    system = system_of(settings, reading=True)
    if not isinstance(system, Downloadable) or form not in system.capabilities.downloads:
        raise Unusable(f"{system.capabilities.title} has no profiles to download as {form}")
    if erased(run):
        raise Unusable(f"personal data of run {run.run_id} were erased: its profiles are not fetched again")
    age_files.refuse_unusable(settings.recipient)
    ending = ending_of(form, settings.recipient)
    with ExitStack() as stack:
        store = stack.enter_context(Store.opened(settings.ledger, create=False))
        customers = list(customers_of(store, run))
        if not customers:
            raise Unusable(f"run {run.run_id} has no customers")
        settings.need("base_url")
        credential_of(settings, reading=True)
        folder = place(run, to, customers, clock, form, ending)
        open_ = {each.file(ending) for each in missing(folder.path, customers, ending)}
        check_later_standing(store, run, folder.path, open_)
        work = _Download(system, system, folder, form, Downloads(folder.path), recipient=settings.recipient)
        asyncio.run(work.all(customers, settings, store, clock, progress))
        seal(store, run, folder, sealed_with(store, run, folder.path), None)
        return work.done


def ending_of(form: str, recipient: str | None) -> str:
    """How the names of the files end; `recipient`: to whom they are encrypted."""
    return form if recipient is None else f"{form}{age_files.ENDING}"


def customers_of(store: Store, run: RunRow) -> Iterator[Customer]:
    """Each customer that a row of `run` led to, once."""
    space_id = store.space(run.system, run.tenant)
    seen: set[str] = set()
    for window in store.outcomes(run.run_id):
        rows = [row for row in window if row["customer_id"] and Outcome(row["outcome"]) not in NOT_OURS]
        known = store.known(space_id, [row["external_unique_id"] for row in rows if row["external_unique_id"]])
        for row in rows:
            its = known.get(row["external_unique_id"] or "")
            if row["customer_id"] not in seen:
                seen.add(row["customer_id"])
                yield Customer(row["source_row"], row["customer_id"], its.record.facts if its else {})


def place(
    run: RunRow, to: Path | None, customers: Sequence[Customer], clock: Clock, form: str, ending: str
) -> RunFolder:
    """The folder to write into: `to`; or the run's newest download if it is not complete; or a new one.

    Raises Unusable.
    """
    if to is None:
        whole = RunFolder.existing(folder_of(run))
        newest = max(whole.path.glob(f"{PREFIXES[form]}[0-9]*"), default=None)
        if newest is None or ((newest / SUMS).exists() and not missing(newest, customers, ending)):
            return whole.subfolder(f"{PREFIXES[form]}{clock.now():%Y%m%dT%H%M%SZ}")
        to = newest
    if not to.exists():
        return RunFolder.create(to)
    folder = RunFolder.existing(to)
    if to.stat().st_mode & 0o077:
        raise Unusable(f"others may read {to}, and profiles are personal", hint=f"chmod 700 {to}")
    folder.discard_drafts()
    return folder


def sealed_with(store: Store, run: RunRow, folder: Path) -> Mapping[str, object]:
    """What the manifest of a download says: what it said before, where an earlier one was broken off and sealed."""
    if (folder / MANIFEST).exists():
        return facts_of(folder)
    own = {"run_id": run.run_id, "command": "download-profiles", "system": run.system, "tenant": run.tenant}
    return {**own, **chained(store.run(run.run_id) or run)}


def missing(folder: Path, customers: Sequence[Customer], ending: str) -> list[Customer]:
    """Gives the customers whose file is not in `folder`."""
    there = {path.name for path in files_of(folder)}
    return [each for each in customers if each.file(ending) not in there]


@value
class _Download:
    """One download under way."""

    system: System
    source: Downloadable
    folder: RunFolder
    form: str
    done: Downloads
    recipient: str | None = field(kw_only=True)
    """The public key to which each file is encrypted; None: it is not."""

    @property
    def ending(self) -> str:
        """As of `Customer.file`."""
        return ending_of(self.form, self.recipient)

    async def all(
        self, customers: Sequence[Customer], settings: Settings, store: Store, clock: Clock, progress: Progress
    ) -> None:
        """Every customer whose file is not there. Raises NotPermitted, Unreachable."""
        given = credential_of(settings, reading=True)
        open_ = missing(self.folder.path, customers, self.ending)
        self.done.there = len(customers) - len(open_)
        outage, hear = outage_of(settings, clock, progress.note), saying(progress)
        opening = connected(settings, self.system, given, clock, store=store, outage=outage, hear=hear)
        async with opening as client:
            with progress.stage("downloading", len(open_)) as count:

                async def work(customer: Customer) -> None:
                    await self.one(client, customer)
                    count.advance()

                await side_by_side(work, open_, settings.concurrency)

    async def one(self, reader: Reader, customer: Customer) -> None:
        """One file, written whole or not at all."""
        try:
            content = await self.content(reader, customer)
        except ReadFailed as error:
            self.done.failed.append((customer.source_row, error.reason))
            return
        if content is None:
            self.done.failed.append((customer.source_row, "the target has no such profile"))
            return
        if self.recipient is not None:
            content = age_files.encrypted(content, self.recipient)
        self.folder.write_bytes(customer.file(self.ending), content)
        self.done.written += 1

    async def content(self, reader: Reader, customer: Customer) -> bytes | None:
        """The file's content; None when there is no profile. Raises ReadFailed for an answer that is none."""
        for request in self.source.documents(customer.customer_id, customer.facts, self.form):
            reply = await reader.read(request)
            status = self.system.status_of(reply)
            if status in {401, 403}:
                raise NotPermitted(f"the credential may not {request.operation.replace('_', ' ')} (HTTP {status})")
            if status == 404:
                continue
            if not 200 <= status < 300:
                raise ReadFailed(f"HTTP {status}", self.system.trace_of(reply))
            if self.form == "json":
                return self.source.data(request, reply, customer.customer_id)
            if not reply.body.startswith(PDF) or END not in reply.body[-1024:]:
                raise ReadFailed("the answer is no whole PDF", self.system.trace_of(reply))
            return reply.body
        return None
