"""Reconciling a run later: with a fresh read of the target or with an extract of it, and what changed since last time.

input (or the ledger's pseudonyms) -> claims -> fresh read or extract -> lines -> changes -> folder
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from jobs.access import connected, credential_of, system_of
from jobs.against import Against
from jobs.batch import Batch
from jobs.clock import Clock, from_milliseconds, iso, milliseconds
from jobs.config import Settings, pseudonym_key, secret
from jobs.drift import Drift, earlier, write_changes
from jobs.errors import Unusable
from jobs.flow import ended, finish, read, same_input
from jobs.intake.extract import read_extract
from jobs.keys import Pseudonyms
from jobs.ledger.rows import RunRow
from jobs.ledger.sqlite import path_of
from jobs.ledger.store import Store
from jobs.progress import Progress
from jobs.promises import of_batch, of_ledger
from jobs.reconcile import Claim, Reconciliation, claims
from jobs.report import Findings, conclude, exit_code, requests_of, seal
from jobs.reports.folder import RunFolder
from jobs.reports.reconciliation import write_reconciliation
from jobs.reports.summary import Equation, InputFile, Summary
from jobs.sealed import Seal, sealed_claims
from jobs.systems.base import Row
from jobs.workspace import workspace


@dataclass(slots=True)
class Recheck:
    """A reconciliation under way. `batch` None: the input is gone or was changed, and `seal` compares instead."""

    run: RunRow
    settings: Settings
    store: Store
    work: Path
    clock: Clock
    progress: Progress
    batch: Batch | None
    seal: Seal | None
    findings: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)

    @property
    def space_id(self) -> int:
        """The ledger's space of the run."""
        return self.store.space(self.run.system, self.run.tenant)


def reconcile(
    run: RunRow, settings: Settings, *, against: Path | None = None, progress: Progress | None = None
) -> Summary:
    """Compares all rows of `run` once more, into `reconcile-<time>` in its folder; gives its summary.

    `against`: an extract of the target; None: the target itself is read. Raises Unusable and NotPermitted; then there
    is no folder.
    """
    clock, progress = Clock(), progress or Progress()
    if against is None:
        system_of(settings)
        settings.need("base_url")
        credential_of(settings, reading=True)
    repeated = ended(run)[0].repeated_writes
    with ExitStack() as stack:
        work = stack.enter_context(workspace(settings.out))
        store = stack.enter_context(Store.opened(settings.ledger))
        batch, why = input_of(run, settings, work, clock, progress)
        seal_ = None if batch is not None else Seal(kept_pseudonyms(settings), settings.region)
        recheck = Recheck(run, settings, store, work, clock, progress, batch, seal_)
        if why is not None:
            recheck.notes.append(f"{why}; the rows were compared by the ledger's pseudonyms")
        began = milliseconds(clock.now())
        parts = finish(read_afresh(recheck)) if against is None else compared(recheck, against)
        recheck.findings = replace(recheck.findings, repeated_writes=repeated)
        return filed(recheck, parts, began)


def input_of(
    run: RunRow, settings: Settings, work: Path, clock: Clock, progress: Progress
) -> tuple[Batch | None, str | None]:
    """The run's input, read again; or None, and why it can't be used."""
    path = Path(run.input_path)
    try:
        batch = read(path, settings, work, clock, progress)
        same_input(batch, run.input_sha256)
    except Unusable as error:
        return None, error.message if path.exists() else f"the input {path} is gone"
    return batch, None


def kept_pseudonyms(settings: Settings) -> Pseudonyms:
    """The pseudonyms of the ledger. Raises Unusable when their key is gone: a new one would fit nothing."""
    ledger = path_of(settings.ledger)
    if secret("pseudonym_key") is None and not ledger.with_name(ledger.name + ".key").exists():
        raise Unusable(
            "the input can't be used, and the key of the ledger's pseudonyms is gone too",
            hint="restore the input file, or give MUSTER_PSEUDONYM_KEY",
        )
    return Pseudonyms(pseudonym_key(ledger))


async def read_afresh(recheck: Recheck) -> Sequence[Path]:
    """Reads the target with a client of its own and compares; the lines, set aside. Raises NotPermitted."""
    settings, parts = recheck.settings, list[Path]()
    system = system_of(settings)
    async with connected(settings, system, credential_of(settings, reading=True), recheck.clock) as client:
        reconciliation = Reconciliation(system, client, recheck.clock, recheck.seal)
        with recheck.progress.stage("reconciling", recheck.run.rows) as count:
            async for frame in reconciliation.frames(claims_of(recheck), settings.concurrency):
                parts.append(set_aside(frame, recheck.work, len(parts)))
                count.advance(frame["source_row"].n_unique())
        recheck.findings = Findings(complete_at_target=reconciliation.complete, calls=dict(client.calls))
    return parts


def claims_of(recheck: Recheck) -> AsyncIterator[Sequence[tuple[Claim, Row | None]]]:
    """What the ledger says of each row, beside the row or its pseudonyms."""
    if recheck.batch is not None:
        return claims(recheck.store, recheck.run.run_id, recheck.batch)
    return sealed_claims(recheck.store, recheck.run.run_id, recheck.space_id)


def compared(recheck: Recheck, path: Path) -> Sequence[Path]:
    """Compares with the extract `path`; no network. The lines, set aside. Raises Unusable."""
    settings, run = recheck.settings, recheck.run
    with recheck.progress.stage("reading the extract", None):
        extract = read_extract(path, system=settings.system, region=settings.region, work=recheck.work)
    against = Against(extract, settings.system, recheck.work, recheck.clock, recheck.seal)
    fields = list(against.masks)
    ours: Iterator[pl.DataFrame]
    if recheck.batch is not None:
        ours = of_batch(recheck.store, run.run_id, recheck.batch, fields)
    else:
        ours = of_ledger(recheck.store, run.run_id, recheck.space_id, fields)
    with recheck.progress.stage("comparing", run.rows) as count:
        parts: list[Path] = []
        for frame in against.frames(ours):
            parts.append(set_aside(frame, recheck.work, len(parts)))
            count.advance(frame["source_row"].n_unique())
    recheck.findings = Findings(complete_at_target=against.complete if against.whole else None)
    recheck.notes.append(
        f"compared with the extract {extract.name} (SHA-256 {extract.sha256}, {extract.rows:,} rows); "
        f"{against.fetched:,} rows were compared field by field, the target was not read"
    )
    recheck.notes += [f"the extract has no {missing}: not compared" for missing in against.missing]
    return parts


def set_aside(frame: pl.DataFrame, work: Path, number: int) -> Path:
    """Lines of the reconciliation on the disk, so that memory stays flat."""
    part = work / f"reconciliation-{number:06}.parquet"
    frame.write_parquet(part)
    return part


def filed(recheck: Recheck, parts: Sequence[Path], began: int) -> Summary:
    """Writes the folder of this reconciliation and gives the summary as written."""
    run, clock = recheck.run, recheck.clock
    whole = RunFolder.existing(Path(run.folder))
    folder = whole.subfolder(f"reconcile-{clock.now():%Y%m%dT%H%M%SZ}")
    counts = write_reconciliation((pl.read_parquet(part) for part in parts), folder)
    drift = drifted(recheck, whole, folder)
    findings = replace(recheck.findings, reconciliation=dict(counts), notes=tuple(recheck.notes))
    again = replace(
        run, command="reconcile", started_ms=began, folder=str(folder.path), settings=recheck.settings.shown()
    )
    now = milliseconds(clock.now())
    if recheck.batch is not None:
        summary = conclude(recheck.store, again, recheck.batch, findings, now)
    else:
        summary = without_input(recheck.store, again, findings, now)
    summary = replace(summary, changes=None if drift is None else drift.counts)
    folder.write_bytes("summary.json", summary.to_json())
    seal(folder, again, summary, None)
    return summary


def drifted(recheck: Recheck, whole: RunFolder, folder: RunFolder) -> Drift | None:
    """What changed since the reconciliation before this one; None when there is none."""
    before = earlier(whole.path, folder)
    if before is None:
        return None
    drift = write_changes(before, folder)
    of = "that of the run itself" if before == whole.path else drift.before
    changed = sum(drift.counts.values())
    recheck.notes.append(
        f"since the last reconciliation ({of}) {f'{changed:,} lines' if changed else 'nothing'} changed"
    )
    return drift


def without_input(store: Store, run: RunRow, findings: Findings, ended_ms: int) -> Summary:
    """The summary of a reconciliation whose input is gone: what the ledger alone can say."""
    outcomes = {outcome.value: rows for outcome, rows in store.outcome_counts(run.run_id).items()}
    equations = [Equation("rows of the run = rows in the ledger", run.rows, sum(outcomes.values()))]
    if findings.complete_at_target is not None:
        complete = outcomes.get("onboarded", 0) + outcomes.get("already_onboarded", 0)
        name = "complete in the ledger = complete at the target"
        equations.append(Equation(name, complete, findings.complete_at_target, "target"))
    settings: dict[str, Any] = dict(run.settings)
    return Summary(
        run_id=run.run_id,
        system=run.system,
        tenant=run.tenant,
        command=run.command,
        started_at=iso(from_milliseconds(run.started_ms)),
        ended_at=iso(from_milliseconds(ended_ms)),
        input=InputFile(Path(run.input_path).name, run.input_path, run.input_sha256, run.rows),
        outcomes=outcomes,
        requests=requests_of(findings.calls),
        reconciliation=findings.reconciliation,
        equations=tuple(equations),
        notes=findings.notes,
        settings={name: str(value) for name, value in sorted(settings.items())},
        exit_code=exit_code({}, findings, equations, settings),
    )
