"""`muster plan`: what a run would do, without doing it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import (
    PRINTING,
    READING,
    TARGET,
    effective,
    options,
    progress_of,
    say,
    show_json,
    the_clock,
)
from jobs.commands.validate import warned_lines
from jobs.errors import ExitCode
from jobs.operations.capacity import LATENCIES, Capacity
from jobs.storage.arrival import called

if TYPE_CHECKING:
    from jobs.operations.plan import Plan

WORDS = {
    "create": "would be created",
    "finish": "are there and would be finished",
    "nothing": "are complete already",
    "unreadable": "could not be read",
    "unknown": "would be sent: the system shows nothing before",
    "quarantined": "fail validation and would not be sent",
}


@click.command("plan")
@click.argument("input_path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "--out", "target", type=click.Path(path_type=Path), metavar="PLAN", help="Write the sealed plan to this file."
)
@click.option(
    "--expires", type=click.FloatRange(0, 24 * 31), default=24.0, show_default=True, metavar="HOURS", help="Of PLAN."
)
@options(*TARGET, *READING, "ledger", "work", "limit", "deadline", "kyc_type", "checks", *PRINTING)
def command(input_path: Path, target: Path | None, expires: float, **given: Any) -> None:
    """Show what a run of INPUT would do; reads the target and changes nothing.

    \b
    Examples:
      muster plan customers.csv --base-url https://eclipse.example --tenant 1001
      muster plan customers.csv --output json
      muster plan customers.csv --deadline 06:00 --out tonight.plan

    With --out, PLAN holds input and settings by their hashes, target, counts, the predicted end of every row, calls,
    finish time, what fits before --deadline, and an expiry. Somebody else approves it with muster approve PLAN; muster
    run INPUT --plan PLAN refuses it once anything of that is no longer so, and scores the prediction afterwards.

    Ends with 1 when rows would need attention.
    """
    from jobs.errors import Unusable
    from jobs.operations.plan import plan
    from jobs.operations.seal_plan import deadline, seal_plan

    settings = effective(given)
    if target is not None and target.exists():
        raise Unusable(f"{target} is there already", hint="give another name, or remove it")
    found = plan(input_path, settings, the_clock(), progress_of(settings, given))
    seal = seal_plan(target, found, input_path, settings, the_clock(), expires) if target is not None else None
    if settings.output == "json":
        file = {} if seal is None else {"plan": {"file": str(target), "seal": seal}}
        fits = deadline(found, settings, the_clock())
        show_json({**document(input_path, found), **file, **({} if fits is None else {"deadline": fits})})
    else:
        say(text(input_path, found))
        if fits := deadline(found, settings, the_clock()):
            say(f"before {fits['at']} fit {fits['calls']:,} of them, about {fits['rows']:,} rows, if it began now")
        if seal is not None:
            say(f"{target}: sealed, {seal[:16]}; somebody else: muster approve {target}")
    good = {"create", "finish", "nothing", "unknown", "already_onboarded", "pending"}
    troubled = any(count for verdict, count in found.verdicts.items() if verdict not in good)
    raise click.exceptions.Exit(ExitCode.ATTENTION if troubled else ExitCode.OK)


def document(path: Path, found: "Plan") -> dict[str, Any]:
    """The plan as JSON."""
    return {
        "schema_version": 1,
        "input": {"path": called(path), "rows": found.rows},
        "rows": dict(sorted(found.verdicts.items())),
        "reasons": [
            {"verdict": verdict, "reason_code": why, "rows": count}
            for (verdict, why), count in sorted(found.reasons.items())
        ],
        "examples": dict(sorted(found.examples.items())),
        "warnings": {code: rows for code, (rows, _) in found.warned.items()},
        "mutating_calls": found.writes,
        "reads_made": found.asked.reads,
        "limit": found.rate and {"calls": found.rate.calls, "seconds": found.rate.seconds},
        "seconds": round(found.seconds),
        "who_is_there": found.asked.way,
        "reads_expected": found.capacity.reads,
        "capacity": [
            {
                "latency_ms": round(latency * 1000),
                "seconds": round(found.capacity.seconds(latency)),
                "rows_an_hour": found.capacity.rows_an_hour(latency),
                "bound": found.capacity.bound(latency),
            }
            for latency in LATENCIES
        ],
    }


def text(path: Path, found: "Plan") -> str:
    """The plan as people read it."""
    lines = [f"{called(path)}: {found.rows:,} rows; nothing was sent"]
    for verdict, count in sorted(found.verdicts.items(), key=lambda each: -each[1]):
        rows = ", ".join(str(row) for row in found.examples.get(verdict, ()))
        named = f"  (rows {rows}{' ...' if count > len(found.examples.get(verdict, ())) else ''})" if rows else ""
        lines.append(f"  {count:>9,}  {WORDS.get(verdict, f'would end as {verdict}')}{named}")
        reasons = [(why, rows) for (about, why), rows in sorted(found.reasons.items()) if about == verdict]
        lines += [f"             {rows:,} of them: {why}" for why, rows in reasons]
    lines += warned_lines(found.warned)
    lines.append(f"{found.writes:,} mutating calls: {lasting(found)}")
    if found.writes:
        lines += [f"who is there is found out {found.asked.way}", *fitting(found.capacity)]
    return "\n".join(lines)


def fitting(capacity: Capacity) -> list[str]:
    """How long the whole takes, by how long the target takes to reply."""
    said = [f"{capacity.reads:,} reads beside; {capacity.at_once:,} rows at once take, at so many ms a reply:"]
    for latency in LATENCIES:
        seconds, rows = capacity.seconds(latency), capacity.rows_an_hour(latency)
        bound = "the limit" if capacity.bound(latency) == "limit" else "the replies"
        said.append(f"  {latency * 1000:>9,.0f}  {in_words(seconds)}; {rows:,} rows an hour, bound by {bound}")
    return said


def in_words(seconds: float) -> str:
    """Hours and minutes, or seconds."""
    whole = round(seconds)
    return f"{whole // 3600} h {whole % 3600 // 60} min" if whole >= 60 else f"{whole} s"


def lasting(found: "Plan") -> str:
    """How long that takes, and why."""
    words = in_words(found.seconds)
    if found.rate is None:
        return f"{words} at most; it starts at 2 a second and quickens while the target keeps up"
    return f"{words} at {found.rate.calls:,} in {found.rate.seconds:g} s"
