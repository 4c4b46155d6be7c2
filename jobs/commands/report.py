"""`muster report`: makes the reports again from the ledger, or draws an auditor's sample from a run's evidence."""

import csv
import io
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
    show,
    show_json,
    the_clock,
)
from jobs.commands.run_name import RUN
from jobs.errors import ExitCode, Unusable

if TYPE_CHECKING:
    from jobs.ledger.rows import RunRow
    from jobs.operations.sample import Drawn
    from jobs.settings.settings import Settings

COLUMNS = ("row", "decision", "customer_id", "reason", "decided_by")
"""Of a file of decisions."""

LARGEST_SAMPLE = 1_000
"""Chosen: more pages than that nobody checks by hand."""


@click.command("report")
@click.argument("run_id_before", type=RUN, metavar="RUN")
@click.option("--sample", "size", type=click.IntRange(1, LARGEST_SAMPLE), help="Draw N rows instead.", metavar="N")
@click.option("--seed", type=click.IntRange(0), help="Which sample.  [default: 1]", metavar="S")
@click.option("--by-outcome", is_flag=True, help="Draw N rows of each outcome, so that the rare ones are in it.")
@click.option("--prove", "subject", help="-: say whether the person whose identity number is typed was in the file.")
@click.option(
    "--decisions-template", "template", is_flag=True, help="Print the rows that are open to a decision, as a CSV."
)
@options("system", "tenant", *READING, *PLACES, *PRINTING)
def command(
    run_id_before: str,
    size: int | None,
    seed: int | None,
    by_outcome: bool,
    subject: str | None,
    template: bool,
    **given: Any,
) -> None:
    """Make the files of RUN again, from the ledger and the input file.

    With --sample, draw N rows for an auditor from the files as they are: a page with the whole trail of each row, and
    a list to be filled in. The same seed draws the same rows. The files have to verify.

    \b
    Examples:
      muster report 20261121T021500Z-7f3a
      muster report 20261121T021500Z-7f3a --sample 25 --seed 4711
      muster report 20261121T021500Z-7f3a --sample 5 --by-outcome
      muster report 20261121T021500Z-7f3a --prove -
      muster report 20261121T021500Z-7f3a --decisions-template > decisions.csv
    """
    if seed is not None and size is None:
        raise click.UsageError("--seed chooses a sample; give --sample N too")
    if by_outcome and size is None:
        raise click.UsageError("--by-outcome says how a sample is drawn; give --sample N too")
    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    if template:
        _template(before, settings)
        return
    if size is not None:
        from jobs.operations.sample import sample

        chosen = 1 if seed is None else seed
        drawn = sample(before, settings, size, chosen, by_outcome=by_outcome)
        _show_sample(before, settings, drawn, chosen, quiet=bool(given.get("quiet")))
        return
    if subject is not None:
        _prove(before, settings, subject)
    from jobs.ledger.erase import erased
    from jobs.operations.report_again import report_again

    if erased(before):
        raise Unusable(f"personal data of run {before.run_id} were erased: its files can't be made again as they were")
    show(report_again(before, settings, the_clock(), progress=progress_of(settings, given)), settings, given)


def _template(run: "RunRow", settings: "Settings") -> None:
    """Prints a file of decisions in which every row that is open to one stays as it is, until somebody changes it."""
    from jobs.ledger.store import Store
    from jobs.operations.decisions import resolutions_template

    with Store.opened(settings.ledger, create=False) as store:
        lines = list(resolutions_template(store, run))
    if settings.output == "json":
        show_json({"schema_version": 1, "run_id": run.run_id, "decisions": lines})
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    say(text.getvalue(), nl=False)


def _prove(run: "RunRow", settings: "Settings", subject: str) -> None:
    """Ends with 0 when the person was in the file, else with 1; shows rows, outcomes and ids, never the number."""
    from jobs.commands.subject import typed_subject
    from jobs.ledger.store import Store
    from jobs.operations.access_log import note_access
    from jobs.operations.find_subject import prove
    from jobs.operations.row_proof import write_proof
    from jobs.settings.pseudonyms import pseudonyms_of

    person = typed_subject(subject, "--prove")
    note_access(settings, the_clock(), "prove", run_id=run.run_id)
    with Store.opened(settings.ledger, create=False) as store:
        found = prove(store, run, pseudonyms_of(store.url), person)
        proof = write_proof(store, run, [int(row["source_row"]) for row in found], the_clock()) if found else None
    if settings.output == "json":
        named = None if proof is None else str(proof)
        show_json({"schema_version": 1, "run_id": run.run_id, "found": bool(found), "rows": found, "proof": named})
    elif not found:
        say(f"run {run.run_id}: not in the file")
    for row in found if settings.output == "text" else []:
        shown = "  ".join(f"{name}={value}" for name, value in row.items() if value is not None)
        say(f"run {run.run_id}: in the file: {shown}")
    if proof is not None and settings.output == "text":
        say(f"proof: {proof} (python3 -I verify.py --proof {proof})")
    raise click.exceptions.Exit(ExitCode.OK if found else ExitCode.ATTENTION)


def _show_sample(run: "RunRow", settings: "Settings", drawn: "Drawn", seed: int, *, quiet: bool) -> None:
    from jobs.storage.copies import shown

    if settings.output == "json":
        facts = {"run_id": run.run_id, "seed": seed, "population": drawn.population, "rows": list(drawn.rows)}
        show_json({"schema_version": 1, **facts, "files": [shown(path) for path in drawn.files]})
    elif not quiet:
        say(f"{len(drawn.rows):,} of {drawn.population:,} rows drawn with seed {seed}:")
        say("\n".join(f"  {shown(path)}" for path in drawn.files))
