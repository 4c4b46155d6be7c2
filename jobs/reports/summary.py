"""What `summary.json` holds.

The summary is a statement of facts gathered elsewhere: it counts nothing and judges only its own equations.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import orjson

from jobs.codes.exits import EXITS
from jobs.model import ATTENTION, DIFFERING, MatchClass, Outcome
from jobs.reports.course import Course
from jobs.reports.funnel import Stage
from jobs.reports.next_steps import NextStep
from jobs.reports.not_read import ALL_READ, NotRead
from jobs.reports.redaction import without_secrets
from jobs.reports.totals import ControlTotal, totals_document
from jobs.value import value

SCHEMA_VERSION = 1

MEANINGS: dict[int, str] = {number: code.meaning for number, code in EXITS.items()}
"""Each exit code in a few words."""


@value
class Equation:
    """Two counts that have to be the same number."""

    name: str
    left: int
    right: int
    kind: Literal["books", "target"] = "books"
    """`books`: muster's own, exit code 7 when they differ. `target`: against a fresh read of the target, exit 1."""

    @property
    def ok(self) -> bool:
        """Whether both sides are equal."""
        return self.left == self.right


@value
class InputFile:
    """The file that was onboarded."""

    name: str
    path: str
    sha256: str
    """Of the bytes as they lay on disk, in hex."""
    rows: int
    skipped_lines: int = 0
    """Blank lines and the like, which are no rows."""


@value
class Requests:
    """What was sent to the target, logins and reads too."""

    by_method: Mapping[str, int] = field(default_factory=dict)
    by_status: Mapping[str, int] = field(default_factory=dict)
    """Requests per HTTP status as text; `none` for requests that got no answer."""
    mutating: int = 0


@value
class Cause:
    """How many rows ended in `outcome` for `reason_code`; a row with several codes counts under each."""

    outcome: str
    reason_code: str
    rows: int
    examples: tuple[int, ...] = ()
    """The first source rows, three at most."""


@value
class Scored:
    """One class of a plan's prediction: of how many rows it was said, and how many came so."""

    predicted: str
    rows: int
    as_predicted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The facts of one run. Times are UTC, ISO 8601; counts that are absent are zero."""

    run_id: str
    system: str
    tenant: str
    command: str
    started_at: str
    ended_at: str
    input: InputFile
    outcomes: Mapping[str, int]
    causes: tuple[Cause, ...] = ()
    requests: Requests = field(default_factory=Requests)
    reconciliation: Mapping[str, int] = field(default_factory=dict)
    """Lines of `reconciliation.csv` per class."""
    not_read: NotRead = ALL_READ
    """What the fresh read of the target could not read."""
    changes: Mapping[str, int] | None = None
    """Lines of `changes.csv` per kind of change; None where there is no earlier reconciliation to compare with."""
    equations: tuple[Equation, ...] = ()
    control_totals: tuple[ControlTotal, ...] = ()
    """Empty for a later reconciliation."""
    pending_ageing: Mapping[str, int] = field(default_factory=dict)
    """Pending rows per age, youngest first; see `ageing`."""
    warnings: Mapping[str, int] = field(default_factory=dict)
    """Rows per warning code of the validation."""
    failed_checks: Mapping[str, int] = field(default_factory=dict)
    """Rows per check that the target's decision named as failed."""
    new: Mapping[str, int] | None = None
    """Rows that need attention and were not left so by the runs before, by outcome; None: not compared."""
    closed: Mapping[str, int] = field(default_factory=dict)
    """Rows that need attention and that a person closed (`muster close`), by outcome."""
    prediction: tuple[Scored, ...] = ()
    """How the plan of the run predicted it, class by class; empty: it had none."""
    stop: str | None = None
    """Why the run stopped before its end; None: it came to its end, or an older muster ran."""
    notes: tuple[str, ...] = ()
    """Sentences about the run as a whole (deadline reached, target's clock off); nothing personal."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Effective settings."""
    course: Course | None = None
    """How the run went along; None when nothing was run (a later reconciliation)."""
    funnel: tuple[Stage, ...] = ()
    """The way of the rows through the steps; empty when nothing was run."""
    findings: Mapping[str, object] | None = None
    """What the run knew beside the ledger, to make the report again; None where it is never made again."""
    exit_code: int = 0
    next_steps: tuple[NextStep, ...] = ()
    """What to type next, the most urgent first; empty when there is nothing left to do."""

    @property
    def stand_in(self) -> str | None:
        """That the target was on this machine, in a sentence for a banner; None: it was not."""
        url = str(self.settings.get("base_url") or "")
        host = urlsplit(url).hostname or ""
        if host != "localhost" and not _loopback(host):
            return None
        return f"Not the real target: {url} is on this machine (the sandbox, or a tunnel)."

    @property
    def next_command(self) -> str | None:
        """The most urgent next step; None when there is nothing left to do."""
        return self.next_steps[0].command if self.next_steps else None

    @property
    def exit_meaning(self) -> str:
        """The exit code in words."""
        return MEANINGS.get(self.exit_code, "unknown exit code")

    @property
    def attention(self) -> int:
        """Rows that a person has to look at, and has not closed."""
        return sum(self.outcomes.get(outcome, 0) for outcome in ATTENTION) - sum(self.closed.values())

    @property
    def standing(self) -> int | None:
        """Rows that need attention and did before this run too; None: not compared."""
        unsent = self.outcomes.get(Outcome.NOT_ATTEMPTED, 0)
        return None if self.new is None else self.attention - sum(self.new.values()) - unsent

    @property
    def pending(self) -> int:
        """Rows whose end is still open at the target."""
        return self.outcomes.get(Outcome.PENDING, 0)

    @property
    def differences(self) -> int:
        """Lines of the reconciliation that differ from the target."""
        return sum(self.reconciliation.get(name, 0) for name in DIFFERING)

    @property
    def unread(self) -> int:
        """Lines of the reconciliation that say that nothing was read; no difference, and no match."""
        return self.reconciliation.get(MatchClass.UNVERIFIED, 0)

    @property
    def agreed(self) -> bool:
        """Whether the fresh read of the target found what the books say."""
        return not self.differences and all(equation.ok for equation in self.equations)

    @property
    def balanced(self) -> bool:
        """Whether muster's own books close."""
        closed = all(total.closed for total in self.control_totals)
        return closed and all(equation.ok for equation in self.equations if equation.kind == "books")

    @property
    def damaged(self) -> int:
        """Rows whose identity number a spreadsheet seems to have damaged, and that were sent all the same."""
        return sum(rows for code, rows in self.warnings.items() if code.startswith("leading_zeros_lost:"))

    def outcome_counts(self) -> dict[str, int]:
        """A count for each of the eleven outcomes, in their usual order."""
        return {outcome.value: self.outcomes.get(outcome, 0) for outcome in Outcome}

    def class_counts(self) -> dict[str, int]:
        """A count for each class of the reconciliation, in their usual order."""
        return {name.value: self.reconciliation.get(name, 0) for name in MatchClass}

    def shown_settings(self) -> dict[str, object]:
        """The settings without secrets."""
        return without_secrets(self.settings)

    def to_json(self) -> bytes:
        """The content of `summary.json`: indented UTF-8 with a line end."""
        document = {"schema_version": SCHEMA_VERSION, **_heading(self), **_counts(self), **_ending(self), **_way(self)}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def book_equations(*, read: int, accepted: int, outcomes: Mapping[str, int]) -> tuple[Equation, ...]:
    """The equations of muster's own books: rows `read`, rows `accepted` by the validation, rows per outcome."""
    quarantined = outcomes.get(Outcome.QUARANTINED, 0)
    return (
        Equation("rows read = quarantined + accepted", read, quarantined + accepted),
        Equation("accepted = sum of its outcomes", accepted, sum(outcomes.values()) - quarantined),
        Equation("rows read = rows reported", read, sum(outcomes.values())),
    )


AGES = ((3600, "under 1 hour"), (86_400, "1 to 24 hours"), (259_200, "1 to 3 days"), (604_800, "3 to 7 days"))
"""Upper ends in seconds. Chosen: a decision normally falls in minutes; after days somebody has to ask."""


def ageing(ages: Iterable[float]) -> dict[str, int]:
    """Rows per age, all of them, youngest first; `ages` are the seconds that each row has been pending."""
    counts = dict.fromkeys([*(label for _, label in AGES), "over 7 days"], 0)
    for seconds in ages:
        counts[next((label for limit, label in AGES if seconds < limit), "over 7 days")] += 1
    return counts


def _heading(summary: Summary) -> dict[str, object]:
    source = summary.input
    return {
        "run_id": summary.run_id,
        "system": summary.system,
        "tenant": summary.tenant,
        "command": summary.command,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "input": {
            "name": source.name,
            "path": source.path,
            "sha256": source.sha256,
            "rows": source.rows,
            "skipped_lines": source.skipped_lines,
        },
    }


def _counts(summary: Summary) -> dict[str, object]:
    reasons: dict[str, int] = {}
    for cause in summary.causes:
        reasons[cause.reason_code] = reasons.get(cause.reason_code, 0) + cause.rows
    return {
        "outcomes": summary.outcome_counts(),
        "reasons": reasons,
        "causes": [
            {
                "outcome": cause.outcome,
                "reason_code": cause.reason_code,
                "rows": cause.rows,
                "first_rows": list(cause.examples),
            }
            for cause in summary.causes
        ],
        "requests": {
            "by_method": dict(summary.requests.by_method),
            "by_status": dict(summary.requests.by_status),
            "mutating": summary.requests.mutating,
        },
        "reconciliation": summary.class_counts(),
        "not_read": summary.not_read.document(),
        **({} if summary.new is None else {"new": dict(summary.new), "standing": summary.standing}),
        "closed": dict(summary.closed),
        **({"prediction": [asdict(each) for each in summary.prediction]} if summary.prediction else {}),
        **({} if summary.changes is None else {"changes": dict(summary.changes)}),
        "equations": [
            {"name": each.name, "left": each.left, "right": each.right, "ok": each.ok, "kind": each.kind}
            for each in summary.equations
        ],
        "control_totals": totals_document(summary.control_totals),
        "pending_ageing": dict(summary.pending_ageing),
        "warnings": dict(summary.warnings),
        "failed_checks": dict(summary.failed_checks),
    }


def _ending(summary: Summary) -> dict[str, object]:
    return {
        **({} if summary.stop is None else {"stop": summary.stop}),
        "notes": list(summary.notes),
        "settings": summary.shown_settings(),
        "exit_code": int(summary.exit_code),
        "exit_meaning": summary.exit_meaning,
        **({} if summary.findings is None else {"findings": dict(summary.findings)}),
        "next_command": summary.next_command,
        "next_steps": [asdict(step) for step in summary.next_steps],
    }


def _way(summary: Summary) -> dict[str, object]:
    """What pictures are drawn from; last in the document, because its lists are long."""
    course = summary.course
    return {
        "funnel": [
            {"stage": stage.name, "rows": stage.rows, "exits": dict(stage.exits), "passed": stage.passed}
            for stage in summary.funnel
        ],
        "latency": [asdict(each) for each in course.latency] if course else [],
        "limits": course.usage.to_document() if course else None,
        "timeline": course.timeline.to_document() if course else None,
    }


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def otherwise(summary: Summary) -> dict[str, int]:
    """Rows that came otherwise than the plan said, by what it said."""
    return some({each.predicted: each.rows - each.as_predicted for each in summary.prediction})


def since_the_last(summary: Summary) -> dict[str, int]:
    """Rows that need attention: new ones by outcome, those that stood so before, and those that people closed."""
    if not summary.standing and not any(summary.closed.values()):
        return {}
    told = {f"new: {outcome}": rows for outcome, rows in (summary.new or {}).items() if rows}
    return told | some({"stood so before": summary.standing or 0, "closed by people": sum(summary.closed.values())})


def some(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in counts.items() if count}
