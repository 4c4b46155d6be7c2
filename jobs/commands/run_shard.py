"""`muster run-shard`: one worker of a run that is under way."""

from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import effective, ledger_there, options, progress_of, say, show_json, the_clock
from jobs.commands.run_name import RUN

if TYPE_CHECKING:
    from jobs.operations.run_shard import Worked


@click.command("run-shard")
@click.option("--run", "run_id", type=RUN, required=True, help="The run whose rows it works on.")
@click.option(
    "--shard",
    type=click.IntRange(min=0),
    metavar="N",
    default=None,
    help="Its part, 0 and up; else JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID or AWS_BATCH_JOB_ARRAY_INDEX; else all "
    "that are free.",
)
@click.option("--worker", default="", hidden=True)
@options("ledger", "lock_timeout", "output", "no_progress")
def command(run_id: str, shard: int | None, worker: str, **given: Any) -> None:
    """Work on shards of RUN, which muster run --engine external or another machine leads.

    \b
    Examples:
      muster run-shard --run 20261121T021500Z-7f3a --shard 3
      muster run-shard --run 20261121T021500Z-7f3a
      JOB_COMPLETION_INDEX=3 muster run-shard --run 20261121T021500Z-7f3a

    The settings are those that the run was begun with; credential and key of the pseudonyms come from the environment
    of this process. --lock-timeout is how long it waits for the run to be begun. It ends with 0 when its shards are
    done, 5 when only decisions are outstanding, 6 when somebody else has the shard, 75 when nobody leads the run.
    """
    from jobs.operations.run_shard import run_shard
    from jobs.run.engines import Names

    settings = effective(given)
    ledger_there(settings.ledger)
    number = _number(shard) if not worker else shard
    names, progress = Names(run_id, settings.ledger, worker, number), progress_of(settings, given)
    worked = run_shard(names, the_clock(), progress, settings.lock_timeout)
    if settings.output == "json":
        show_json(_document(worked))
    elif not given.get("quiet"):
        say(_text(worked))
    raise click.exceptions.Exit(int(worked.exit_code))


def _number(given: int | None) -> int | None:
    """The shard that was named: by the option, else by the scheduler; None: by nobody. Raises Usage."""
    from jobs.errors import Usage
    from jobs.settings.as_run import index

    try:
        found = index()
    except ValueError as error:
        raise Usage(f"two schedulers say two things: {error}", hint="give --shard N") from None
    if given is not None or found is None:
        return given
    name, text = found
    if not text.isascii() or not text.isdigit():
        raise Usage(f"{name}={text[:20]!r} is no number of a shard", hint="give --shard N")
    return int(text)


def _document(worked: "Worked") -> dict[str, Any]:
    shards = [
        {"shard": each.number, "state": each.state.value, "outcomes": dict(sorted(each.tally.outcomes.items()))}
        for each in worked.shards
    ]
    return {"schema_version": 1, "run_id": worked.run_id, "shards": shards, "exit_code": int(worked.exit_code)}


def _text(worked: "Worked") -> str:
    lines = [f"Run {worked.run_id}: {len(worked.shards)} shards"]
    for each in worked.shards:
        ends = ", ".join(f"{rows:,} {outcome}" for outcome, rows in sorted(each.tally.outcomes.items()))
        lines.append(f"  shard {each.number}: {each.state.value}{': ' if ends else ''}{ends}")
    return "\n".join(lines)
