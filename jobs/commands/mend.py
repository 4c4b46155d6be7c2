"""`muster mend`: the full original rows that a person has to correct."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import (
    PLACES,
    PRINTING,
    READING,
    chosen_run,
    effective,
    options,
    progress_of,
    say,
    show_json,
    the_clock,
)
from jobs.commands.run_name import RUN
from jobs.model import Outcome
from jobs.storage.address import is_address
from schemas.job_name import COMMANDS, ONBOARDING

if TYPE_CHECKING:
    from jobs.operations.mend import Mended
    from jobs.settings.settings import Settings


@click.command("mend")
@click.argument("run_id_before", type=RUN, metavar="RUN")
@click.option("--to", "target", type=click.Path(path_type=Path), metavar="FILE", required=True, help="A new file.")
@click.option(
    "--outcome", "named", metavar="NAMES", help="Outcomes, joined by commas.  [default: all that need attention]"
)
@options("system", "tenant", *READING, *PLACES, "recipient", *PRINTING)
def command(run_id_before: str, target: Path, named: str | None, **given: Any) -> None:
    """Write the full original rows of RUN that need attention to FILE, to be corrected and run again.

    The columns and values are those of the input, in its encoding and with its delimiter; `_reasons` says in a sentence
    why each row is there. Correct the values, remove rows that are not to be sent, leave `_reasons` as it is (a later
    run knows by it which row was corrected), and give FILE to muster run. The folder of the run is never touched.

    \b
    Examples:
      muster mend 20261121T021500Z-7f3a --to corrected.csv
      muster mend 20261121T021500Z-7f3a --to refused.csv --outcome quarantined,rejected
    """
    from jobs.model import ATTENTION
    from jobs.operations.mend import mend

    today = effective(given)
    before = chosen_run(today.ledger, run_id_before)
    settings = effective(given, before)
    outcomes = ATTENTION if named is None else outcomes_named(named)
    found = mend(before, settings, the_clock(), target, outcomes=outcomes, progress=progress_of(settings, given))
    onward = None if found.path is None else fed_back(found.path, Path(before.input_path).parent, today, settings)
    if settings.output == "json":
        counts = {outcome.value: found.outcomes[outcome] for outcome in Outcome if found.outcomes[outcome]}
        file = None if found.path is None else str(found.path)
        document = {"run_id": before.run_id, "file": file, "rows": found.rows, "outcomes": counts}
        document["left_out"] = found.left_out
        show_json({"schema_version": 1, **document, "next_command": onward})
    elif not given["quiet"]:
        say(_text(before.run_id, found, onward))


def outcomes_named(text: str) -> frozenset[Outcome]:
    """The outcomes that `text` names, joined by commas. Raises Unusable with a suggestion."""
    from jobs.errors import Unusable
    from jobs.settings.values import suggestion

    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in set(Outcome):
            raise Unusable(
                f"--outcome: {name[:40]!r} is no outcome{suggestion(name, Outcome)}", hint=", ".join(Outcome)
            )
    if not names:
        raise Unusable("--outcome names nothing", hint=", ".join(Outcome))
    return frozenset(map(Outcome, names))


def fed_back(path: Path, documents: Path, today: "Settings", then: "Settings") -> str:
    """The command that takes the corrected file, with each option that the run had and today's settings have not.

    Lines before the header are not in the file, whatever the run left out. `documents`: where the input lay.
    """
    from jobs.settings.settings import OPTIONS
    from schemas.columns import columns_of

    now, was = today.shown(), then.shown() | {"skip_lines": "0"}
    named = any(column.kind == "file" for column in columns_of(str(then.job_name)))
    if named and then.files is None and not is_address(documents) and documents.resolve() != path.parent.resolve():
        was["files"] = str(documents)
    words = ["muster", *COMMANDS.get(then.job, COMMANDS[ONBOARDING]).split(), str(path)]
    words += ["--command", then.decision] if then.decision else []
    for each in OPTIONS:
        if each.given and each.kept and now[each.name] != was[each.name]:
            switched = each.metavar is None and was[each.name] == "true"
            words += [each.flag, was[each.name]] if each.metavar else [each.flag] * switched
    return shlex.join(words)


def _text(run_id: str, found: "Mended", onward: str | None) -> str:
    if found.path is None:
        return f"run {run_id}: no row ended so; nothing was written"
    lines = [f"{found.path}: {found.rows:,} rows of run {run_id}, as they came"]
    lines += [f"  {rows:>9,}  {outcome}" for outcome, rows in found.outcomes.most_common()]
    lines += [f"  {found.left_out:>9,}  left out: these persons were forgotten"] if found.left_out else []
    return "\n".join([*lines, "correct them, leave _reasons as it is, then:", f"  {onward}"])
