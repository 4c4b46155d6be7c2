"""Did the run go well? One mood and one sentence, from the facts of the summary; not from the exit code alone,
because a scheduler may have asked for another one.
"""

from typing import TYPE_CHECKING, Literal

from jobs.errors import ExitCode
from jobs.model import Outcome
from jobs.value import value

if TYPE_CHECKING:
    from jobs.reports.summary import Summary

Mood = Literal["good", "waiting", "attention", "bad"]


@value
class Verdict:
    """How the run went, for people."""

    mood: Mood
    sentence: str


_STOPPED: dict[int, tuple[Mood, str]] = {
    ExitCode.INTERNAL: ("bad", "The run ended with an internal error."),
    ExitCode.PERMISSION: ("bad", "The run was stopped: the target no longer accepts our credential."),
    ExitCode.UNREACHABLE: ("attention", "The target could not be reached any more; what was done is saved."),
    ExitCode.POLICY: ("attention", "The run was stopped by its own limits before its end."),
    ExitCode.SIGINT: ("attention", "The run was interrupted; what it did is saved."),
    ExitCode.SIGTERM: ("attention", "The run was interrupted; what it did is saved."),
}


def verdict(summary: "Summary") -> Verdict:
    """The strongest thing to be said about the run."""
    if not summary.balanced or summary.exit_code == ExitCode.INTEGRITY:
        return Verdict("bad", "The books do not balance: do not rely on these numbers before somebody has looked.")
    if summary.exit_code in _STOPPED:
        mood, sentence = _STOPPED[summary.exit_code]
        if summary.exit_code == ExitCode.PERMISSION and summary.stop:
            sentence = f"The run was stopped: {summary.stop}."
        return Verdict(mood, f"{sentence} {_left(summary)}".strip())
    if summary.attention or not summary.agreed:
        return Verdict("attention", f"The run finished, and {_matters(summary)}.{_unread(summary)}")
    if summary.damaged:
        return Verdict("attention", f"The run finished, and {_damaged(summary.damaged)}.")
    if summary.unread:
        return Verdict("attention", f"The run finished.{_unread(summary)}")
    if summary.pending:
        rows = counted(summary.pending, "row")
        return Verdict(
            "waiting", f"The run went well so far: {rows} still {_verb(summary.pending, 'wait')} for a decision."
        )
    return Verdict("good", _all_well(summary))


def counted(number: int, noun: str) -> str:
    """`1 row`, `12,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _verb(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb


def _left(summary: "Summary") -> str:
    unsent = summary.outcomes.get(Outcome.NOT_ATTEMPTED, 0)
    rest = [f"{counted(unsent, 'row')} not attempted"] if unsent else []
    rest += [f"{counted(summary.pending, 'row')} pending"] if summary.pending else []
    return f"{' and '.join(rest)}." if rest else ""


def _matters(summary: "Summary") -> str:
    rows = f"{summary.attention:,} of {counted(summary.input.rows, 'row')} {_verb(summary.attention, 'need')} attention"
    found = [rows] if summary.attention else []
    if summary.differences:
        found.append(
            f"{counted(summary.differences, 'difference')} to the target {_verb(summary.differences, 'stand')}"
        )
    return " and ".join(found) or "the target holds another number of customers than the books"


def _unread(summary: "Summary") -> str:
    """What is not known, as a sentence of its own; empty where all was read."""
    if not summary.unread:
        return ""
    rows = counted(summary.not_read.rows or summary.unread, "row")
    return f" Of {rows} nothing is known: the target could not be read."


def _damaged(rows: int) -> str:
    numbers = "1 identity number seems" if rows == 1 else f"{rows:,} identity numbers seem"
    return f"{numbers} to have lost zeros in a spreadsheet: compare with the source"


def _all_well(summary: "Summary") -> str:
    if summary.input.rows == 0:
        return "There was nothing to do: the input holds no rows."
    before = summary.outcomes.get(Outcome.ALREADY_ONBOARDED, 0)
    if before == summary.input.rows:
        return f"The run went well: {counted(before, 'row')}, onboarded before; nothing was changed."
    if closed := sum(summary.closed.values()):
        return f"The run went well: {counted(summary.input.rows, 'row')}, {closed:,} of them closed by people before."
    earlier = f" ({before:,} of them before this run)" if before else ""
    return f"The run went well: {counted(summary.input.rows, 'row')}, every customer onboarded{earlier}."
