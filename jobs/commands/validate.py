"""`muster validate`: validation only; never touches the network."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import GATES, PRINTING, READING, effective, options, progress_of, say, show_json, the_clock
from jobs.errors import ExitCode
from jobs.privacy import file_names
from jobs.settings.settings import DECISIONS
from jobs.storage.arrival import called
from schemas.job_name import JOBS, ONBOARDING, JobName

if TYPE_CHECKING:
    from jobs.batch import Batch
    from jobs.settings.settings import Settings

SHOWN = 3
"""Rows named in the text, as the contract has it: the first three, masked."""


@click.command("validate")
@click.argument("input_path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--job", type=click.Choice(JOBS), default=ONBOARDING, show_default=True, help="What INPUT is for.")
@click.option("--command", "decision", type=click.Choice(DECISIONS), help="What is decided, with --job decide.")
@click.option("--quarantine", "target", type=click.Path(path_type=Path), help="Write the refused rows to this file.")
@options("system", "tenant", *READING, "control", *GATES, "out", "work", "recipient", "exit_zero", *PRINTING)
def command(input_path: Path, job: str, decision: str | None, target: Path | None, **given: Any) -> None:
    """Check INPUT without touching the network.

    \b
    Examples:
      muster validate customers.csv
      muster validate customers.csv --quarantine refused.csv
      muster validate customers.csv --encoding cp1252 --output json
      muster validate users.csv --job portal-users
      muster validate refused.csv --system banklingo --job decide --command reject
    """
    from jobs.intake.control import control_record
    from jobs.intake.quarantine import write_quarantine
    from jobs.intake.workspace import workspace
    from jobs.privacy import age_files, file_names
    from jobs.run.gates import check_gates
    from jobs.run.place import Place
    from jobs.run.read_input import read_input
    from jobs.run.signals import Signals

    settings = effective(given | {"job": job, "decision": decision})
    known(settings)
    age_files.refuse_unusable(settings.recipient)
    with Signals(), workspace(settings.workplace, the_clock()) as work:
        batch = read_input(input_path, settings, Place(work, the_clock(), progress_of(settings, given)))
        control = control_record(batch.staged, settings.control)
        if target is not None:
            plain = target if settings.recipient is None else work / "refused.csv"
            write_quarantine(batch.staged, batch.validated.quarantined, plain)
            if settings.recipient is not None:
                age_files.encrypt(plain, target, settings.recipient)
        check_gates(batch, settings)
        if settings.output == "json":
            show_json({**_document(batch), "control_record": control and control.facts()})
        elif not given["quiet"]:
            say(_text(batch))
            if control is not None:
                say(f"{file_names.shown(control.path.name)} agrees: {', '.join(sorted(control.stated))}")
        refused = batch.validated.quarantined_rows
    raise click.exceptions.Exit(ExitCode.ATTENTION if refused and not settings.exit_zero else ExitCode.OK)


def known(settings: "Settings") -> None:
    """Raises Unusable for a job that the system does not have, and for a decision without its command."""
    from jobs.errors import Unusable
    from jobs.systems import JOBS as OFFERED

    if settings.job != ONBOARDING and settings.job_name.adapter not in OFFERED:
        having = ", ".join(sorted(each.system for each in map(JobName.parse, OFFERED) if each.job == settings.job))
        raise Unusable(f"{settings.system} has no job {settings.job}", hint=f"--system {having}")
    if (settings.job == "decide") != bool(settings.decision):
        words = "needs --command: each has rules of its own" if settings.job == "decide" else "takes no --command"
        raise Unusable(f"--job {settings.job} {words}")


def warned_lines(warned: Mapping[str, tuple[int, tuple[int, ...]]]) -> list[str]:
    """Every warning by name, how many rows have it, which first, and what it means."""
    from schemas.sentences import remark

    lines = []
    for code, (rows, first) in warned.items():
        named = ", ".join(map(str, first)) + (" ..." if rows > len(first) else "")
        lines.append(f"  {rows:>9,}  warning {code}: {remark(code)} (rows {named})")
    return lines


def _document(batch: "Batch") -> dict[str, object]:
    found = batch.validated
    return {
        "schema_version": 1,
        "input": {
            "path": called(batch.file.path),
            "sha256": batch.file.sha256,
            "rows": found.rows,
            "skipped_lines": batch.file.skipped_lines,
        },
        "encoding": batch.file.encoding,
        "delimiter": batch.file.delimiter,
        "accepted": found.accepted_rows,
        "quarantined": found.quarantined_rows,
        "reasons": dict(found.reasons),
        "warned": found.warnings,
        "warnings": {code: rows for code, (rows, _) in found.warned.items()},
    }


def _text(batch: "Batch") -> str:
    from jobs.intake.header import nameless

    found = batch.validated
    lines = [
        (
            f"{file_names.shown(batch.file.path.name)}: {found.rows:,} rows read, {found.accepted_rows:,} accepted, "
            f"{found.quarantined_rows:,} refused, {found.warnings:,} with warnings"
        )
    ]
    if batch.file.skipped_lines:
        lines.append(f"  {batch.file.skipped_lines:>9,}  blank lines and repeated headers, which are no rows")
    lines += [f"  {rows:>9,}  {code}" for code, rows in sorted(found.reasons.items(), key=lambda item: -item[1])]
    lines += warned_lines(found.warned)
    lines += [f"  {sentence}" for sentence in nameless(batch.file.header)]
    for row in next(batch.quarantined(None, SHOWN), []):
        lines.append(f"  row {row.source_row}: {row.reason}")
    if found.quarantined_rows > SHOWN:
        lines.append(f"  ... and {found.quarantined_rows - SHOWN:,} more; --quarantine FILE writes all of them")
    return "\n".join(lines)
