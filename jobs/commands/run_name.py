"""The name of a run on the command line, which a shell completes out of the ledger."""

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from jobs.ledger.rows import RunRow

MOST = 50
"""Runs that are offered, the newest first; chosen."""


class RunName(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # older clicks know no argument
    """A run of the ledger. `files`: or a path, which the shell completes as one."""

    name = "run"

    def __init__(self, *, files: bool = False) -> None:
        self.files = files

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The newest runs whose names begin so; none where there is no ledger, or it can't be read."""
        try:
            runs = [CompletionItem(run.run_id, help=_told(run)) for run in _runs(ctx, incomplete)]
        except Exception:  # nobody who presses Tab wants to read what is wrong
            runs = []
        return [*runs, CompletionItem(incomplete, type="file")] if self.files and not runs else runs


RUN, RUN_OR_FOLDER = RunName(), RunName(files=True)


def _runs(ctx: click.Context, incomplete: str) -> "list[RunRow]":
    from jobs.ledger import tables
    from jobs.ledger.place import place_of
    from jobs.ledger.store import Store, select_runs
    from jobs.settings.precedence import settings

    given = {"ledger": ctx.params["ledger"]} if ctx.params.get("ledger") else {}
    ledger = settings(given, config=ctx.params.get("config")).ledger
    if not place_of(ledger).exists():
        return []
    named = select_runs(summaries=False).where(tables.run.c.run_id.startswith(incomplete, autoescape=True))
    with Store.opened(ledger, create=False) as store:
        return store.matching(named.order_by(store.age.desc()).limit(MOST))


def _told(run: "RunRow") -> str:
    """What a list of completions says of a run."""
    from pathlib import Path

    state = "not ended" if run.exit_code is None else f"ended with {run.exit_code}"
    return f"{run.command} {Path(run.input_path).name}, {state}"
