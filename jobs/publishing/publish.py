"""From the ledger to the files of a run. Whatever is not in the ledger, or in the input file itself, is not reported.

`jobs/reports/` knows what each file looks like; this says what goes into them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import orjson
import polars as pl

from jobs.batch import Batch
from jobs.clock import from_milliseconds, iso
from jobs.evidence.auditor_pack import PACK, write_pack
from jobs.evidence.events import write_events
from jobs.ledger.origin import MOVED_FROM
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import link_before
from jobs.ledger.store import Store
from jobs.model import ATTENTION, DIFFERING, Outcome
from jobs.publishing.control_totals import control_totals
from jobs.publishing.findings import Findings
from jobs.publishing.mending import write_quarantine_book, write_refused
from jobs.publishing.nights import nights_until
from jobs.publishing.outcome_frames import outcome_frames
from jobs.publishing.place import folder_of
from jobs.publishing.prediction import score
from jobs.publishing.sealing import check_standing, seal
from jobs.publishing.summing_up import summarised
from jobs.reports import workbook
from jobs.reports.folder import RunFolder
from jobs.reports.markdown import render_markdown
from jobs.reports.outcome import counted, write_outcome
from jobs.reports.page import INLINE_DIFFERENCES, INLINE_ROWS, write_page
from jobs.reports.summary import Summary
from jobs.reports.twin import alone
from jobs.settings.pseudonyms import pseudonyms_of

WORKBOOK_LATER = "report.xlsx was left out, so that the stopped run ends soon: muster report writes it"

UNTOLD = frozenset({"seq", "at_ms", "run_id"})
"""Columns of an event that the event log has in another form."""

MADE_ANEW = frozenset(
    f"{name}.{kind}"
    for name, kinds in {
        "outcome": ("csv", "parquet"),
        "quarantine": ("csv", "csv.age", "xlsx"),
        "prediction": ("csv",),
        "summary": ("json",),
        "events": ("ndjson",),
        "report": ("html", "md", "xlsx"),
    }.items()
    for kind in kinds
).union(PACK)
"""The files that `publish` makes: whatever they were before, they are then as the ledger and the input say."""


def conclude(store: Store, run: RunRow, batch: Batch, findings: Findings, ended_ms: int) -> Summary:
    """The summary of a reconciliation made later: the run's outcomes as they were written, and today's findings."""
    count = counted(outcome_frames(store, run, batch))
    return summarised(store, run, batch, count, findings, ended_ms)


def publish(
    store: Store,
    run: RunRow,
    batch: Batch,
    findings: Findings,
    ended_ms: int,
    *,
    hurried: bool = False,
) -> Summary:
    """Writes all files of the run but the reconciliation, which is there already; gives the summary as written.

    They are written into the folder of the run, which is there. Raises Unusable when it is not, and Unproven when it
    was sealed before and holds something else than it did that is not made anew.

    `hurried`: somebody waits for the end of a stopped run; of a large one the workbook is left to `muster report`.
    """
    folder, left_out = RunFolder.existing(folder_of(run)), workbook_left_out(batch.rows, hurried=hurried)
    with alone(folder.path):
        check_standing(store, run, MADE_ANEW)
        count = write_outcome(outcome_frames(store, run, batch), folder)
        write_refused(run, batch, folder)
        totals = control_totals(store, run, batch, pseudonyms_of(store.url), findings)
        summary = summarised(store, run, batch, count, noted(findings, left_out), ended_ms, totals=totals)
        summary = replace(summary, prediction=score(folder))
        store.end_run(
            run.run_id, ended_ms=ended_ms, exit_code=summary.exit_code, summary=orjson.loads(summary.to_json())
        )
        chain = write_events(history(store, run, summary), folder)
        folder.write_bytes("summary.json", summary.to_json())
        folder.write_bytes("report.md", render_markdown(summary).encode())
        if workbook.installed() and left_out is None:
            write_quarantine_book(run, batch, folder)
            workbook.write_workbook(summary, attention_rows(folder, workbook.MOST_ROWS + 1), folder)
        nights, differences = nights_until(store, run), differing_lines(folder)
        write_page(summary, attention_rows(folder, INLINE_ROWS), folder, differences=differences, nights=nights)
        write_pack(folder)
        link = link_before(store, run)
        before = {
            "previous_run": link and link.run_id,
            "previous_manifest_sha256": link and link.manifest_sha256,
        }
        seal(store, run, folder, {**facts_of_run(run, summary), **before}, chain)
        return summary


def workbook_left_out(rows: int, *, hurried: bool) -> str | None:
    """Why no workbook is written now; None: it is, where the extra is installed, or nobody waits for one."""
    return WORKBOOK_LATER if hurried and rows > workbook.MOST_ROWS and workbook.installed() else None


def noted(findings: Findings, left_out: str | None) -> Findings:
    """The findings with a note of what was not written now, and without one of an earlier time."""
    notes = [note for note in findings.notes if note not in {workbook.ABSENT, WORKBOOK_LATER}]
    return replace(findings, notes=(*notes, *([left_out] if left_out else [])))


def history(store: Store, run: RunRow, summary: Summary) -> Iterator[Mapping[str, object]]:
    """The run's events as they stand in the ledger, and its end."""
    at_ms, at = None, ""
    for event in store.events(run.run_id):
        if at_ms != event["at_ms"]:  # many events share a moment, and its spelling
            at_ms = event["at_ms"]
            at = iso(from_milliseconds(event["at_ms"]))
        rest = {name: value for name, value in event.items() if value is not None and name not in UNTOLD}
        yield {"at": at, "run_id": run.run_id, **rest}
    yield {
        "at": summary.ended_at,
        "run_id": run.run_id,
        "kind": "run_end",
        "exit_code": int(summary.exit_code),
        "outcomes": summary.outcome_counts(),
    }


def attention_rows(folder: RunFolder, most: int) -> Iterator[Mapping[str, object]]:
    """The first `most` rows of outcome.parquet that a person has to look at."""
    wanted = pl.col("outcome").is_in([*ATTENTION, Outcome.PENDING])
    frame = pl.scan_parquet(folder.path / "outcome.parquet", glob=False).filter(wanted)
    for window in frame.head(most).collect().iter_slices():
        yield from window.iter_rows(named=True)


def differing_lines(folder: RunFolder) -> Iterator[Mapping[str, object]]:
    """The first lines of reconciliation.parquet that differ from the target; the page shows no more."""
    table = pl.scan_parquet(folder.path / "reconciliation.parquet", glob=False)
    wanted = table.filter(pl.col("class").is_in(list(DIFFERING)))
    yield from wanted.head(INLINE_DIFFERENCES).collect().iter_rows(named=True)


def object_of(run: RunRow) -> dict[str, object]:
    """The object that the input was, where it came from a cloud."""
    return {"object": run.facts["input_object"]} if "input_object" in run.facts else {}


def facts_of_run(run: RunRow, summary: Summary) -> dict[str, object]:
    """What the manifest says of a run, or of a later comparison of it."""
    return {
        "run_id": run.run_id,
        "command": run.command,
        "system": run.system,
        "tenant": run.tenant,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "exit_code": int(summary.exit_code),
        "input": {"path": run.input_path, "sha256": run.input_sha256, "rows": run.rows, **object_of(run)},
        "api_user": run.facts.get("api_user"),
        "control_record": run.facts.get("control_record"),
        **({"plan": run.facts["plan"]} if "plan" in run.facts else {}),
        MOVED_FROM: run.facts.get(MOVED_FROM),
        "settings": dict(run.settings),
    }
