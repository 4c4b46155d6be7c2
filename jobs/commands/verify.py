"""`muster verify`: checks the evidence of a run; needs no network and no credential."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import chosen_run, effective, options, say, show_json, the_clock
from jobs.commands.run_name import RUN_OR_FOLDER
from jobs.errors import ExitCode, Unproven, Unusable

if TYPE_CHECKING:
    from jobs.ledger.rows import RunRow


@click.command("verify")
@click.argument("run_id_before", type=RUN_OR_FOLDER, metavar="RUN")
@click.option("--batch", is_flag=True, help="All runs over the same input too, and that none of them is missing.")
@click.option(
    "--public-key",
    "public_keys",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Check all signatures with this ed25519 key (PEM); give it again for a key that came before or after it.",
)
@click.option(
    "--checkpoint",
    "kept",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Checkpoints of the ledger's log that were kept elsewhere: all that they counted has to be there still.",
)
@options("ledger", "output")
def command(run_id_before: str, batch: bool, public_keys: tuple[Path, ...], kept: Path | None, **given: Any) -> None:
    """Check file hashes, event chain and control totals of RUN (its id, or its folder).

    \b
    Examples:
      muster verify 20261121T021500Z-7f3a
      muster verify runs/20261121T021500Z-7f3a --public-key auditor.pem
      muster verify 20261121T021500Z-7f3a --batch

    With a run's id, and with --batch, the ledger is asked too: it knows which runs there were, and their manifests.
    """
    from jobs.evidence.signature import public_key_of
    from jobs.evidence.verify import chain_problems, verify_folder
    from jobs.ledger.place import place_of
    from jobs.publishing.place import folder_of
    from jobs.publishing.retained import undelivered, unretained
    from jobs.publishing.sealing import unlike_ledger
    from jobs.storage.address import is_address
    from jobs.storage.address import named as called
    from jobs.storage.copies import at_hand, shown

    settings = effective(given)
    named = Path(run_id_before)
    alone = named.is_dir() or (is_address(named) and not place_of(settings.ledger).exists())
    runs = [] if alone and not batch else _runs(settings.ledger, named.name, batch)
    for run in runs:
        refuse_running(settings.ledger, run)
    folders = [folder_of(run) for run in runs] or [at_hand(called(named))]
    keys = [public_key_of(path) for path in public_keys]
    problems = []
    for folder in folders:
        found = verify_folder(folder) + _signatures(folder, keys or None)
        found = [each.replace(str(folder), shown(folder)) for each in found]
        problems += [f"{folder.name}: {each}" if batch else each for each in found]
    problems += [problem for run in runs for problem in (*undelivered(run), *unlike_ledger(run), *unretained(run))]
    problems += _log(settings.ledger, runs, kept, keys)
    problems += chain_problems(folders) if batch else []
    _show(folders, problems, settings.output)
    raise click.exceptions.Exit(ExitCode.INTEGRITY if problems else ExitCode.OK)


def refuse_running(ledger: str, run: "RunRow") -> None:
    """Raises Unusable for a run that is at work: its files are not written yet, and that is no fault of theirs."""
    from jobs.clock import milliseconds
    from jobs.commands.status import state_of
    from jobs.ledger.lease import working
    from jobs.ledger.store import Store

    if run.ended_ms is not None:
        return
    with Store.opened(ledger, create=False) as store:
        owner = working(store, run.system, run.tenant, milliseconds(the_clock().now()))
    if state_of(run, owner) == "running":
        raise Unusable(
            f"run {run.run_id} is still at work; there is nothing to verify before it has ended",
            hint=f"muster status {run.run_id}",
        )


def _log(ledger: str, runs: "list[RunRow]", kept: Path | None, keys: list[bytes]) -> list[str]:
    """What is wrong with the ledger's log; it is asked where the ledger is. Raises Unusable."""
    from jobs.ledger.store import Store
    from jobs.publishing.ledger_log import log_problems
    from jobs.publishing.witness import Witness

    if kept is not None and not kept.is_file():
        raise Unusable(f"--checkpoint: there is no file {kept}")
    if not runs and kept is None:
        return []
    with Store.opened(ledger, create=False) as store:
        witnesses = [Witness(str(kept or "")), *map(Witness.of, runs)]
        told = [each.told() for each in dict.fromkeys(witnesses)]
        earlier = "".join(told)
        return list(dict.fromkeys(each for run in runs for each in log_problems(store, run, earlier, keys)))


def _runs(ledger: str, run_id: str, batch: bool) -> "list[RunRow]":
    """The run, or all runs of its batch whose report was written, oldest first."""
    from jobs.ledger.seals import seals
    from jobs.ledger.store import Store

    run = chosen_run(ledger, run_id)
    if not batch:
        return [run]
    with Store.opened(ledger, create=False) as store:
        return [each for each in store.runs_of_batch(run) if seals(each)]


def _signatures(folder: Path, keys: "list[bytes] | None") -> list[str]:
    """What is wrong with the signatures of a run and of its later folders, by `keys` or by those that they name."""
    from jobs.evidence.later import later_folders
    from jobs.evidence.signature import signature_problems

    found = signature_problems(folder, keys)
    for path in later_folders(folder) if folder.is_dir() else ():
        found += [f"{path.name}: {each}" for each in signature_problems(path, keys)]
    return found


def _show(folders: list[Path], problems: list[str], output: str) -> None:
    from jobs.storage.copies import shown

    if output == "json":
        names = [shown(folder) for folder in folders]
        document = {"folder": names[-1], "folders": names, "verified": not problems, "problems": problems}
        words = f"{len(problems):,} problems, the first: {problems[0]}" if problems else ""
        show_json({"schema_version": 1, **document}, Unproven(words) if problems else None)
        return
    one, several = shown(folders[-1]), f"{len(folders)} runs, {folders[0].name} to {folders[-1].name}"
    say(f"{one if len(folders) == 1 else several}: {'verified' if not problems else 'does not verify'}")
    for problem in problems:
        say(f"  {problem}")
