"""The summary of a run: its totals, each from its own source, and the exit code that follows from them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from jobs.batch import Batch
from jobs.clock import from_milliseconds, iso
from jobs.errors import ExitCode, strongest
from jobs.ledger.history import last_moment, moments
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.publishing.books import books, exit_code, requests_of
from jobs.publishing.findings import Findings
from jobs.publishing.standing import Attention, attention
from jobs.reports.course import Course, course
from jobs.reports.funnel import funnel
from jobs.reports.next_steps import Ended, next_steps
from jobs.reports.outcome import OutcomeCount
from jobs.reports.summary import Cause, InputFile, Summary, ageing
from jobs.reports.totals import ControlTotal
from jobs.systems import capabilities
from schemas.job_name import ONBOARDING, JobName

ASKED_AGAIN = (Outcome.DECLINED.value, "kyc_failed")
"""The cause after which the target can be asked again."""


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
    found = replace(
        _counted(run, batch, count, ended_ms),
        requests=requests_of(findings.calls),
        reconciliation=findings.reconciliation,
        not_read=findings.not_read,
        equations=equations,
        control_totals=totals,
        pending_ageing=ageing((ended_ms - since) / 1000 for since in store.undecided_since(run.run_id)),
        closed=rows.closed,
        stop=findings.stop,
        notes=(*findings.notes, *untold(run, count.outcomes, findings.notes)),
        exit_code=code,
        next_steps=next_steps(Ended(run.run_id, count.outcomes, code, bool(count.causes.get(ASKED_AGAIN)))),
    )
    if again:
        return found
    return replace(
        found,
        new=rows.new,
        course=course_of(store, run, findings),
        funnel=funnel(batch.rows, count.ends, findings.steps, rare_steps(run, findings.steps)),
        findings=findings.facts(),
    )


def _counted(run: RunRow, batch: Batch, count: OutcomeCount, ended_ms: int) -> Summary:
    """What the run is, and what its outcomes count; the rest is empty."""
    name, skipped = Path(run.input_path).name, batch.file.skipped_lines
    return Summary(
        run_id=run.run_id,
        system=run.system,
        tenant=run.tenant,
        command=run.command,
        started_at=iso(from_milliseconds(run.started_ms)),
        ended_at=iso(from_milliseconds(ended_ms)),
        input=InputFile(name, run.input_path, run.input_sha256, batch.rows, skipped),
        outcomes=count.outcomes,
        causes=tuple(
            Cause(outcome, reason, rows, tuple(count.examples[outcome, reason]))
            for (outcome, reason), rows in sorted(count.causes.items())
        ),
        warnings=count.warnings,
        failed_checks=dict(sorted(count.failed_checks.items())),
        settings={name: str(value) for name, value in sorted(run.settings.items())},
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
