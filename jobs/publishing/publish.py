"""From the ledger to the files of a run. Whatever is not in the ledger, or in the input file itself, is not reported.

`jobs/reports/` knows what each file looks like; this says what goes into them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from jobs.batch import Batch
from jobs.clock import from_milliseconds, iso
from jobs.errors import ExitCode, strongest
from jobs.evidence.auditor_pack import PACK, write_pack
from jobs.evidence.events import write_events
from jobs.keys import Pseudonyms
from jobs.ledger.history import last_moment, moments, outcome_windows
from jobs.ledger.origin import MOVED_FROM
from jobs.ledger.rows import RunRow
from jobs.ledger.seals import link_before
from jobs.ledger.store import Store
from jobs.model import ATTENTION, DIFFERING, MatchClass, Outcome
from jobs.publishing.control_totals import control_totals
from jobs.publishing.findings import INTENTS_SENT, Findings
from jobs.publishing.mending import write_quarantine_book, write_refused
from jobs.publishing.nights import nights_until
from jobs.publishing.place import folder_of
from jobs.publishing.prediction import score
from jobs.publishing.sealing import check_standing, seal
from jobs.publishing.standing import Attention, attention
from jobs.reports import workbook
from jobs.reports.course import Course, course
from jobs.reports.echo import hashes, redact
from jobs.reports.folder import RunFolder
from jobs.reports.funnel import funnel
from jobs.reports.markdown import render_markdown
from jobs.reports.next_steps import Ended, next_steps
from jobs.reports.outcome import OutcomeCount, counted, write_outcome
from jobs.reports.page import INLINE_DIFFERENCES, INLINE_ROWS, write_page
from jobs.reports.summary import Cause, Equation, InputFile, Requests, Summary, ageing, book_equations
from jobs.reports.totals import ControlTotal
from jobs.reports.twin import alone
from jobs.settings.pseudonyms import pseudonyms_of
from jobs.settings.values import NEW
from jobs.systems import capabilities
from schemas.column import Column
from schemas.columns import columns_of
from schemas.job_name import ONBOARDING, JobName
from schemas.outcome import MENDED_FROM, OUTCOME_SCHEMA

WORKBOOK_LATER = "report.xlsx was left out, so that the stopped run ends soon: muster report writes it"

TIMES = ("first_attempt_at", "last_attempt_at")
"""Columns of the outcome that the ledger has in milliseconds."""

LEDGER_COLUMNS = tuple(f"{name[:-3]}_ms" if name in TIMES else name for name in OUTCOME_SCHEMA)
"""The columns of the outcome as the ledger has them."""

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

ASKED_AGAIN = (Outcome.DECLINED.value, "kyc_failed")
"""The cause after which the target can be asked again."""

MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LOGINS = frozenset({"login", "login_challenge", "renew"})


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


def outcome_frames(store: Store, run: RunRow, batch: Batch) -> Iterator[pl.DataFrame]:
    """The run's outcomes from the ledger, with the file's unknown columns beside them."""
    pseudonyms = pseudonyms_of(store.url)
    for rows in outcome_windows(store, run.run_id, LEDGER_COLUMNS):
        yield shown(rows, batch, pseudonyms)


def shown(rows: Sequence[tuple[Any, ...]], batch: Batch, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Outcome rows (`LEDGER_COLUMNS`) as a report has them, with the file's unknown columns beside them."""
    kept = {name: pl.Int64() if name in TIMES else kind for name, kind in OUTCOME_SCHEMA.items()}
    times = [pl.from_epoch(name, time_unit="ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ") for name in TIMES]
    frame = pl.DataFrame(rows, schema=kept, orient="row").with_columns(times)
    frame = _with_origin(frame, batch) if batch.staged.mended else frame
    frame = _with_echo(frame, batch) if batch.file.echoed else frame
    return _with_hash(frame, batch, pseudonyms) if batch.file.hidden else frame


def _with_echo(frame: pl.DataFrame, batch: Batch) -> pl.DataFrame:
    """The unknown columns that were named, without the row's own identity, phone, e-mail or secrets."""
    first, last = frame["source_row"][0], frame["source_row"][-1]
    window = pl.col("source_row").is_between(first, last)
    echo = batch.staged.echo().filter(window)
    names = [name for name in echo.collect_schema().names() if name != "source_row"]
    own = {name: batch.file.header_of(name) for name in own_columns(columns_of(batch.file.system))}
    headers = {f"~own_{canonical}": header for canonical, header in own.items() if header is not None}
    personal = batch.staged.originals(headers).filter(window)
    beside = echo.join(personal, on="source_row", how="left")
    joined = frame.lazy().join(beside, on="source_row", how="left", maintain_order="left").collect()
    return redact(joined, names, list(headers))


def _with_origin(frame: pl.DataFrame, batch: Batch) -> pl.DataFrame:
    """With the run and the row that `muster mend` took each row from."""
    origin = pl.format("{}:{}", "from_run", "from_row").alias(MENDED_FROM)
    beside = batch.staged.mended_rows().select("source_row", origin)
    return frame.lazy().join(beside, on="source_row", how="left", maintain_order="left").collect()


def _with_hash(frame: pl.DataFrame, batch: Batch, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """A keyed hash stands for the unknown columns that nobody named."""
    first, last = frame["source_row"][0], frame["source_row"][-1]
    hidden = batch.staged.hidden().filter(pl.col("source_row").is_between(first, last))
    beside = (
        frame.lazy().select("source_row").join(hidden, on="source_row", how="left", maintain_order="left").collect()
    )
    return frame.with_columns(hashes(beside.drop("source_row"), pseudonyms))


def own_columns(columns: Iterable[Column]) -> tuple[str, ...]:
    """Those of `columns` whose value no echoed column of the row may repeat: personal numbers, e-mails, secrets."""
    return tuple(each.name for each in columns if each.secret or each.kind in {"identity", "phone", "email"})


def summarised(
    store: Store,
    run: RunRow,
    batch: Batch,
    count: OutcomeCount,
    findings: Findings,
    ended_ms: int,
    *,
    totals: tuple[ControlTotal, ...] = (),
) -> Summary:
    """The run's totals, each from its own source, and the exit code that follows from them."""
    equations = books(store, run, batch, count, findings)
    again = run.command == "reconcile"
    rows = Attention() if again else attention(store, run)
    judged = {} if again else rows.unsettled(dict(count.outcomes))  # a later reading is about what the target shows
    code = exit_code(judged, findings, equations, run.settings, reading=again, new=rows.new.total())
    if not all(total.closed for total in totals):
        code = strongest({code, ExitCode.INTEGRITY})
    return Summary(
        run_id=run.run_id,
        system=run.system,
        tenant=run.tenant,
        command=run.command,
        started_at=iso(from_milliseconds(run.started_ms)),
        ended_at=iso(from_milliseconds(ended_ms)),
        input=InputFile(
            Path(run.input_path).name, run.input_path, run.input_sha256, batch.rows, batch.file.skipped_lines
        ),
        outcomes=count.outcomes,
        causes=tuple(
            Cause(outcome, reason, rows, tuple(count.examples[outcome, reason]))
            for (outcome, reason), rows in sorted(count.causes.items())
        ),
        requests=requests_of(findings.calls),
        reconciliation=findings.reconciliation,
        not_read=findings.not_read,
        equations=equations,
        control_totals=totals,
        pending_ageing=ageing((ended_ms - since) / 1000 for since in store.undecided_since(run.run_id)),
        warnings=count.warnings,
        failed_checks=dict(sorted(count.failed_checks.items())),
        stop=findings.stop,
        new=None if again else rows.new,
        closed=rows.closed,
        notes=(*findings.notes, *untold(run, count.outcomes, findings.notes)),
        settings={name: str(value) for name, value in sorted(run.settings.items())},
        course=None if again else course_of(store, run, findings),
        funnel=() if again else funnel(batch.rows, count.ends, findings.steps, rare_steps(run, findings.steps)),
        findings=None if again else findings.facts(),
        exit_code=code,
        next_steps=next_steps(Ended(run.run_id, count.outcomes, code, bool(count.causes.get(ASKED_AGAIN)))),
    )


def untold(run: RunRow, outcomes: Mapping[str, int], notes: tuple[str, ...]) -> Iterator[str]:
    """What a person has to know of pending rows of which the target never tells more; once, however often reported."""
    words = capabilities(JobName.parse(run.system).adapter).untold
    if words is not None and outcomes.get(Outcome.PENDING) and words not in notes:
        yield words


def rare_steps(run: RunRow, steps: tuple[str, ...]) -> frozenset[str]:
    """Names the `steps` that only some rows have, as the system says of itself."""
    name = JobName(JobName.parse(run.system).system, str(run.settings.get("job") or ONBOARDING))
    usual = capabilities(name.adapter).steps
    return frozenset(steps).difference(usual) if set(usual) & set(steps) else frozenset()


def course_of(store: Store, run: RunRow, findings: Findings) -> Course:
    """How the run went along, until its last event: what came after it was reading and reporting."""
    ended_ms = last_moment(store, run.run_id) or run.started_ms
    return course(
        moments(store, run.run_id),
        started_ms=run.started_ms,
        ended_ms=ended_ms,
        limit=findings.limit,
        steps=findings.steps,
    )


def books(store: Store, run: RunRow, batch: Batch, count: OutcomeCount, findings: Findings) -> tuple[Equation, ...]:
    """The equations that must hold. Left and right come from different sources: file, ledger, report, wire, target."""
    ledger = {outcome.value: rows for outcome, rows in store.outcome_counts(run.run_id).items()}
    quarantined = batch.validated.quarantined_rows
    equations = [
        *book_equations(read=batch.rows, accepted=batch.validated.accepted_rows, outcomes=ledger),
        Equation("rows quarantined by validation = in the ledger", quarantined, ledger.get(Outcome.QUARANTINED, 0)),
        Equation("rows in the ledger = lines of outcome.csv", sum(ledger.values()), count.rows),
        Equation(
            "onboarded in the ledger = in outcome.csv",
            ledger.get(Outcome.ONBOARDED, 0),
            count.outcomes.get(Outcome.ONBOARDED, 0),
        ),
        Equation(
            INTENTS_SENT,
            store.intent_total(run.run_id),
            mutating(store.calls(run.run_id)) - findings.repeated_writes,
        ),
        Equation(
            "intents in the ledger = attempts of the rows",
            store.intent_total(run.run_id),
            store.attempt_total(run.run_id),
        ),
    ]
    return (*equations, *at_target(ledger, findings))


def at_target(ledger: Mapping[str, int], findings: Findings) -> Iterator[Equation]:
    """Rows complete in the ledger against those that the fresh read found so; what it could not read is on no side."""
    if findings.complete_at_target is not None:
        complete = ledger.get(Outcome.ONBOARDED, 0) + ledger.get(Outcome.ALREADY_ONBOARDED, 0)
        unread = findings.not_read.complete
        name = f"complete in the ledger{' and read' if unread else ''} = complete at the target"
        yield Equation(name, complete - unread, findings.complete_at_target, "target")


def mutating(calls: Mapping[tuple[str, str, str], int]) -> int:
    """How many of `calls` could change something at the target."""
    return sum(n for (operation, method, _), n in calls.items() if method in MUTATING and operation not in LOGINS)


def requests_of(calls: Mapping[tuple[str, str, str], int]) -> Requests:
    """The calls of a run by method and by status."""
    by_method: dict[str, int] = {}
    by_status: dict[str, int] = {}
    for (_, method, status), count in sorted(calls.items()):
        by_method[method] = by_method.get(method, 0) + count
        by_status[status] = by_status.get(status, 0) + count
    return Requests(by_method, by_status, mutating(calls))


def exit_code(
    outcomes: Mapping[str, int],
    findings: Findings,
    equations: Iterable[Equation],
    settings: Mapping[str, object],
    *,
    reading: bool = False,
    new: int = 0,
) -> ExitCode:
    """The strongest of all that holds; `--fail-on` and `--exit-zero` change 1 and 5 only.

    `outcomes`: rows that nobody closed. `reading`: the command was to read the target and nothing else, so that a row
    that was not read needs attention. `new`: rows that need attention and did not before, for `--fail-on new`.
    """
    codes = set(findings.codes)
    present = {name for name, count in [*outcomes.items(), *findings.reconciliation.items()] if count}
    fail_on = str(settings.get("fail_on") or "")
    names = set(fail_on.split(",")) if fail_on else {*ATTENTION, *DIFFERING}
    if reading and not fail_on:
        names.add(MatchClass.UNVERIFIED)
    if present & names or (NEW in names and new):
        codes.add(ExitCode.ATTENTION)
    if outcomes.get(Outcome.PENDING) and not fail_on:
        codes.add(ExitCode.PENDING)
    if settings.get("exit_zero") in {True, "true"}:
        codes -= {ExitCode.ATTENTION, ExitCode.PENDING}
    for equation in equations:
        if not equation.ok:
            codes.add(ExitCode.INTEGRITY if equation.kind == "books" else ExitCode.ATTENTION)
    return strongest(codes)


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
