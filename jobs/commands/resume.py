"""`muster resume`: goes on with what an earlier run left open."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.erasing import keep_retention
from jobs.commands.options import (
    RUNNING,
    SHARING,
    chosen_run,
    decisions_option,
    effective,
    ledger_there,
    options,
    progress_of,
    say,
    say_brief,
    show,
    show_json,
    tell_end,
    the_clock,
)
from jobs.commands.run_name import RUN

if TYPE_CHECKING:
    from jobs.errors import MusterError
    from jobs.ledger.rows import RunRow
    from jobs.reports.summary import Summary
    from jobs.settings.settings import Settings


@click.command("resume")
@click.argument("run_id_before", type=RUN, metavar="[RUN]", required=False)
@decisions_option
@click.option("--all", "every", is_flag=True, help="Every file of the tenant that resume can take further.")
@options(*RUNNING, *SHARING)
def command(run_id_before: str | None, decisions: Path | None, every: bool, **given: Any) -> None:
    """Go on with what RUN left open: pending decisions, an interruption, a deadline. The newest run by default.

    \b
    Examples:
      muster resume
      muster resume 20261121T021500Z-7f3a --decision-wait 3600
      muster resume 20261121T021500Z-7f3a --decisions decided.csv
      muster resume --all

    A file of decisions settles rows that are in doubt, ambiguous or in conflict: a CSV of row, decision, customer_id,
    reason and decided_by, where the decision is ours (with the customer's id), not_done, another_person, give_up or
    leave.
    """
    from jobs.flow import onboard
    from jobs.run.context import Resolutions

    if every:
        resume_all(run_id_before, decisions, given)
        return
    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    summary = onboard(
        "resume",
        Path(before.input_path),
        settings,
        the_clock(),
        sha256=before.input_sha256,
        decisions=None if decisions is None else Resolutions(decisions, before),
        progress=progress_of(settings, given),
    )
    keep_retention(settings, given)
    show(summary, settings, given)


def resume_all(run_id: str | None, decisions: Path | None, given: dict[str, Any]) -> None:
    """Goes on with each file that has something to go on with, one after the other; ends with the strongest code.

    A file that can't be gone on with (gone, changed) is told, and the others are gone on with all the same.
    """
    from jobs.errors import ExitCode, MusterError, Usage, strongest
    from jobs.ledger.store import Store
    from jobs.operations.open_items import resumable

    if run_id or decisions or given.get("run_id"):
        raise Usage("--all takes neither RUN, --run-id nor --decisions", hint="muster resume --all")
    today = effective(given)
    ledger_there(today.ledger)
    place = (today.job_name.ledger_system, today.tenant) if today.tenant else (None, None)
    with Store.opened(today.ledger, create=False) as store:
        runs = resumable(store, the_clock(), *place)
    ended: list[Summary] = []
    failed: list[tuple[RunRow, MusterError]] = []
    for run in runs:
        try:
            ended.append(gone_on(run, given))
        except MusterError as error:
            if error.exit_code in {ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.LOCKED}:
                raise
            failed.append((run, error))
    show_all(ended, failed, today, given)
    codes = {ExitCode(int(each.exit_code)) for each in ended}
    raise click.exceptions.Exit(int(next((error.exit_code for _, error in failed), strongest(codes))))


def gone_on(run: "RunRow", given: dict[str, Any]) -> "Summary":
    """One of them, as it was run before."""
    from jobs.flow import onboard

    settings = effective(given, run, warn=False)
    progress = progress_of(settings, given)
    path, sha256 = Path(run.input_path), run.input_sha256
    summary = onboard("resume", path, settings, the_clock(), sha256=sha256, progress=progress)
    tell_end(summary, settings)
    return summary


def show_all(
    ended: "list[Summary]", failed: "list[tuple[RunRow, MusterError]]", settings: "Settings", given: dict[str, Any]
) -> None:
    """Prints what became of each, in the form asked for."""
    import orjson

    from jobs.reports.summary import SCHEMA_VERSION
    from jobs.reports.text import render_text

    for summary in ended:
        say_brief(summary, settings, given)
    for run, error in failed:
        say(f"muster: run {run.run_id} can't be gone on with: {error.message}", err=True)
    if settings.output == "json":
        left = [{"run_id": run.run_id, "error": error.document()} for run, error in failed]
        runs = [orjson.loads(summary.to_json()) for summary in ended]
        show_json({"schema_version": SCHEMA_VERSION, "runs": runs, "failed": left}, failed[0][1] if failed else None)
    elif not given.get("quiet"):
        say("\n".join(map(render_text, ended)) if ended or failed else "nothing to go on with")
