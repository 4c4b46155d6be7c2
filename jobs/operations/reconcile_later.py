"""Reconciling a run later: with a fresh read of the target or with an extract of it, and what changed since last time.

input (or the ledger's pseudonyms) -> claims -> fresh read or extract -> lines -> changes -> folder
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from jobs.batch import Batch
from jobs.clock import Clock, from_milliseconds, iso, milliseconds
from jobs.errors import Unusable
from jobs.evidence.events import write_events
from jobs.intake.extract import read_extract
from jobs.intake.workspace import workspace
from jobs.keys import Pseudonyms
from jobs.ledger import lease
from jobs.ledger.resolutions import decided_rows
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.operations.report_again import ended
from jobs.privacy import file_names
from jobs.progress import Progress
from jobs.publishing.books import at_target, exit_code, requests_of
from jobs.publishing.findings import Findings
from jobs.publishing.place import folder_of
from jobs.publishing.publish import conclude, facts_of_run
from jobs.publishing.sealing import chained, seal
from jobs.reconciliation.changes import Changes, ambiguous_rows, earlier, write_changes
from jobs.reconciliation.extract_comparison import ExtractComparison
from jobs.reconciliation.our_side import of_batch, of_ledger
from jobs.reconciliation.pseudonymous import PseudonymComparer
from jobs.reconciliation.resolutions import (
    Choice,
    Decided,
    frame_as_decided,
    open_to_decision,
    read_decisions,
)
from jobs.reports.folder import RunFolder
from jobs.reports.reconciliation import notes_of, write_reconciliation
from jobs.reports.summary import Equation, InputFile, Summary
from jobs.run.event_loop import finish
from jobs.run.live import Asked, LaterReconciliation, read_afresh, record, set_aside
from jobs.run.place import Place
from jobs.run.read_input import read_again
from jobs.run.target import same_target
from jobs.run.wiring import credential_of, system_of
from jobs.settings.pseudonyms import key_is_there, pseudonyms_of
from jobs.settings.secrets import secret
from jobs.settings.settings import Settings
from jobs.storage.address import is_address
from jobs.storage.arrival import arrived
from jobs.storage.bucket import Absent
from jobs.systems import capabilities


def reconcile(
    run: RunRow,
    settings: Settings,
    clock: Clock,
    *,
    against: Path | None = None,
    decisions: Path | None = None,
    listing: bool | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Compares all rows of `run` once more, into `reconcile-<time>` in its folder; gives its summary.

    `against`: an extract of the target; None: the target itself is read. `decisions`: what a person decided about
    rows of `run`; recorded first. `listing`: name whom only the target has. Raises Unusable, Locked and NotPermitted;
    then there is no folder.
    """
    progress = progress or Progress()
    check_possible(settings, listing=bool(listing), against=against is not None)
    repeated = ended(run)[0].repeated_writes
    with ExitStack() as stack:
        work = stack.enter_context(workspace(settings.workplace, clock))
        store = stack.enter_context(Store.opened(settings.ledger))
        place = Place(work, clock, progress)
        batch, why = input_of(run, settings, place)
        comparer = None if batch is not None else PseudonymComparer(kept_pseudonyms(settings, store), settings.region)
        later = LaterReconciliation(Asked(run, settings, decisions, listing), place, store, batch, comparer)
        if decisions is not None:
            owner = lease.Owner.me(run.run_id)
            mine = lease.held(store, later.space_id, owner, settings.lock_timeout, clock, tell=progress.note)
            later.epoch = stack.enter_context(mine).epoch
            later.decided = open_decisions(later, decisions, against)
        if why is not None:
            later.notes.append(f"{why}; the rows were compared by the ledger's pseudonyms")
        began = milliseconds(clock.now())
        if against is None:
            parts = finish(read_afresh(later))
        else:
            record(later)
            parts = compared(later, against)
        later.findings = replace(later.findings, repeated_writes=repeated)
        return filed(later, parts, began)


def check_possible(settings: Settings, *, listing: bool, against: bool) -> None:
    """Raises Unusable for what this system, or its target, can't be asked for. `against`: an extract is compared."""
    able = capabilities(settings.job_name.adapter)
    if listing and not able.lists_customers:
        raise Unusable(f"{settings.system} can't list its customers", hint="leave --list out")
    if settings.full and (against or able.full is None):
        raise Unusable(f"{able.title} has nothing more to read with --full", hint="leave --full out")
    if against:
        if settings.job_name.apart:
            raise Unusable("an extract shows customers, and that run was about others", hint="leave --against out")
        return
    if not able.reads_back:
        raise Unusable(
            f"{able.title} shows nothing of its customers, so there is nothing to read again",
            hint="compare with an extract that the vendor gives: --against FILE",
        )
    system_of(settings)
    settings.need("base_url")
    same_target(settings)
    credential_of(settings, reading=True)


def input_of(run: RunRow, settings: Settings, place: Place) -> tuple[Batch | None, str | None]:
    """The run's input, read again; or None, and why it can't be used."""
    try:
        return read_again(run, settings, place), None
    except Unusable as error:
        gone = isinstance(error, Absent) or not _there(run.input_path)
        return None, f"the input {run.input_path} is gone" if gone else error.message


def _there(path: str) -> bool:
    return is_address(path) or file_names.found(Path(path)).exists()


def kept_pseudonyms(settings: Settings, store: Store) -> Pseudonyms:
    """The pseudonyms of the ledger. Raises Unusable when their key is gone: a new one would fit nothing."""
    if not key_is_there(settings.ledger):
        raise Unusable(
            "the input can't be used, and the key of the ledger's pseudonyms is gone too",
            hint="restore the input file, or give MUSTER_PSEUDONYM_KEY",
        )
    pseudonyms = pseudonyms_of(settings.ledger)
    store.know_key(pseudonyms.of("key", "check"))
    return pseudonyms


def open_decisions(later: LaterReconciliation, path: Path, against: Path | None) -> Sequence[Decided]:
    """The decisions of `path`, checked against the ledger. Raises Unusable."""
    run, ambiguous = later.asked.run, ambiguous_rows(folder_of(later.asked.run))
    decided = open_to_decision(path, read_decisions(path), later.store, later.space_id, run, ambiguous)
    if against is not None and any(each.decision.choice is Choice.OURS for each in decided):
        raise Unusable("that a customer is ours must be read at the target, not in an extract", hint="no --against")
    return decided


def compared(later: LaterReconciliation, path: Path) -> Sequence[Path]:
    """Compares with the extract `path`; no network. The lines, set aside. Raises Unusable."""
    settings, run = later.asked.settings, later.asked.run
    with later.place.progress.stage("reading the extract", None):
        path = arrived(path, later.place.work, secret("input_query"))
        extract = read_extract(path, system=settings.system, region=settings.region, work=later.place.work)
    place = later.place
    against = ExtractComparison(extract, settings.system, place.work, place.clock, later.comparer)
    against.pseudonyms = later.pseudonyms
    fields = list(against.masks)
    ours: Iterator[pl.DataFrame]
    if later.batch is not None:
        ours = of_batch(later.store, run.run_id, later.batch, fields)
    else:
        ours = of_ledger(later.store, run.run_id, later.space_id, fields)
    with later.place.progress.stage("comparing", run.rows) as count:
        parts: list[Path] = []
        decided = decided_rows(later.store, run.run_id, run.ended_ms or 0)
        for frame in against.frames(frame_as_decided(window, decided) for window in ours):
            parts.append(set_aside(frame, later.place.work, len(parts)))
            count.advance(frame["source_row"].n_unique())
    seen = against.complete if against.whole else None
    later.findings = Findings(complete_at_target=seen, not_read=against.not_read)
    later.notes.append(
        f"compared with the extract {extract.name} (SHA-256 {extract.sha256}, {extract.rows:,} rows); "
        f"{against.fetched:,} rows were compared field by field, the target was not read"
    )
    later.notes += [f"the extract has no {missing}: not compared" for missing in against.missing]
    return parts


def filed(later: LaterReconciliation, parts: Sequence[Path], began: int) -> Summary:
    """Writes the folder of this reconciliation and gives the summary as written."""
    run, clock = later.asked.run, later.place.clock
    whole = RunFolder.existing(folder_of(run))
    folder = whole.subfolder(f"reconcile-{clock.now():%Y%m%dT%H%M%SZ}")
    counts = write_reconciliation((pl.read_parquet(part) for part in parts), folder)
    later.notes += notes_of(folder)
    changes = changed_since(later, whole, folder)
    findings = replace(later.findings, reconciliation=dict(counts), notes=tuple(later.notes))
    again = replace(
        run, command="reconcile", started_ms=began, folder=str(folder.path), settings=later.asked.settings.shown()
    )
    now = milliseconds(clock.now())
    if later.batch is not None:
        summary = conclude(later.store, again, later.batch, findings, now)
    else:
        summary = without_input(later.store, again, findings, now)
    summary = replace(summary, changes=None if changes is None else changes.counts)
    folder.write_bytes("summary.json", summary.to_json())
    events = [each.told(run.run_id, iso(clock.now())) for each in later.decided]
    known = later.store.run(run.run_id) or run
    chain = write_events(events, folder) if events else None
    seal(later.store, run, folder, {**facts_of_run(again, summary), **chained(known)}, chain)
    return summary


def changed_since(later: LaterReconciliation, whole: RunFolder, folder: RunFolder) -> Changes | None:
    """What changed since the reconciliation before this one; None when there is none."""
    before = earlier(whole.path, folder)
    if before is None:
        return None
    changes = write_changes(before, folder)
    of = "that of the run itself" if before == whole.path else changes.before
    changed = sum(changes.counts.values())
    later.notes.append(f"since the last reconciliation ({of}) {f'{changed:,} lines' if changed else 'nothing'} changed")
    return changes


def without_input(store: Store, run: RunRow, findings: Findings, ended_ms: int) -> Summary:
    """The summary of a reconciliation whose input is gone: what the ledger alone can say."""
    outcomes = {outcome.value: rows for outcome, rows in store.outcome_counts(run.run_id).items()}
    held = Equation("rows of the run = rows in the ledger", run.rows, sum(outcomes.values()))
    equations = [held, *at_target(outcomes, findings)]
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
        not_read=findings.not_read,
        equations=tuple(equations),
        notes=findings.notes,
        settings={name: str(value) for name, value in sorted(settings.items())},
        exit_code=exit_code({}, findings, equations, settings, reading=True),
    )
