"""The books of a run: the equations that have to hold, what the wire counted, and the exit code that follows."""

from collections.abc import Iterable, Iterator, Mapping

from jobs.batch import Batch
from jobs.errors import ExitCode, strongest
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import ATTENTION, DIFFERING, MatchClass, Outcome
from jobs.publishing.findings import INTENTS_SENT, Findings
from jobs.reports.outcome import OutcomeCount
from jobs.reports.summary import Equation, Requests, book_equations
from jobs.settings.values import NEW

MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LOGINS = frozenset({"login", "login_challenge", "renew"})


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
