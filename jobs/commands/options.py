"""Options shared by commands, made from `jobs.option.OPTIONS`, and what all commands do with them."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jobs.config import Settings, settings, unknown_variables
from jobs.option import BY_NAME

if TYPE_CHECKING:
    from jobs.ledger.rows import RunRow
    from jobs.progress import Progress
    from jobs.reports.summary import Summary

F = TypeVar("F", bound=Callable[..., Any])

TARGET = ("system", "base_url", "tenant", "concurrency", "rate")
READING = ("region", "encoding", "delimiter", "files", "strict_ids")
PLACES = ("ledger", "out")
PRINTING = ("output", "no_progress")
RUNNING = (
    *TARGET,
    *READING,
    *PLACES,
    "run_id",
    "decision_poll",
    "decision_wait",
    "kyc_type",
    "checks",
    "deadline",
    "max_errors",
    "breaker",
    "same_cause",
    "canary",
    "limit",
    "lock_timeout",
    "fail_on",
    "exit_zero",
    "yes",
    *PRINTING,
)


def options(*names: str) -> Callable[[F], F]:
    """Adds the options `names`, `--config`, `-v` and `-q`; values arrive as text, True or None."""

    def decorate(function: F) -> F:
        for name in reversed(names):
            option = BY_NAME[name]
            default = "" if option.default in {None, False} else f"  [default: {option.default}]"
            words = f"{option.help}{default}  [{option.variable}]"
            if option.metavar is None:
                click.option(option.flag, name, is_flag=True, default=None, help=words)(function)
            else:
                click.option(option.flag, name, metavar=option.metavar, default=None, help=words)(function)
        path = click.Path(path_type=Path, dir_okay=False)
        click.option("--config", type=path, default=None, help="Settings file.  [default: muster.toml]")(function)
        click.option("-v", "--verbose", count=True, help="Say more.")(function)
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")(function)
        return function

    return decorate


decisions_option = click.option(
    "--decisions",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    default=None,
    help="A CSV: row, decision (ours, not_done, give_up or leave), customer_id, reason, decided_by.",
)


def effective(given: dict[str, Any], recorded: "RunRow | None" = None, *, warn: bool = True) -> Settings:
    """The settings from what click collected; warns of variables that are misspelt. Raises Unusable.

    `recorded`: the run that is gone on with; what it was run with counts before the defaults.
    """
    for name in unknown_variables() if warn else ():
        click.echo(f"muster: warning: unknown variable {name}", err=True)
    flags = {name: value for name, value in given.items() if name in BY_NAME}
    return settings(flags, config=given.get("config"), recorded=None if recorded is None else recorded.settings)


def progress_of(settings_: Settings, given: dict[str, Any]) -> "Progress":
    """Bars on a terminal, plain lines elsewhere, silence with -q."""
    from jobs.progress import Lines, Progress, Terminal

    if given.get("quiet"):
        return Progress()
    return Terminal() if sys.stderr.isatty() and not settings_.no_progress else Lines()


def show(summary: "Summary", settings_: Settings, given: dict[str, Any]) -> None:
    """Prints the summary in the form asked for, and ends with its exit code."""
    from jobs.errors import CutShort, ExitCode, strongest
    from jobs.reports.summary import render_text

    try:
        if settings_.output == "json":
            click.echo(summary.to_json().decode(), nl=False)
        elif not given.get("quiet"):
            click.echo(render_text(summary), nl=False)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        code = strongest({ExitCode(summary.exit_code), ExitCode.POLICY})
        words = f"the result of run {summary.run_id} can't be printed: {error.strerror}; its files are whole"
        raise CutShort(code, words, hint=f"muster status {summary.run_id}") from error
    if summary.exit_code and summary.next_command and (given.get("quiet") or settings_.output == "json"):
        click.echo(f"muster: next: {summary.next_command}", err=True)
    raise click.exceptions.Exit(int(summary.exit_code))


def confirmed(question: str, settings_: Settings) -> None:
    """Asks a person at a terminal; `--yes`, and a scheduler, are taken at their word. Ends the command on no."""
    if sys.stdin.isatty() and not settings_.yes:
        click.confirm(question, abort=True, err=True)


def show_json(document: object) -> None:
    """Prints exactly one JSON document."""
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def chosen_run(ledger: str, run_id: str | None) -> "RunRow":
    """The run `run_id`, or the newest one. Raises Unusable when there is none."""
    from jobs.errors import Unusable
    from jobs.ledger.sqlite import path_of, refuse_remains
    from jobs.ledger.store import Store

    refuse_remains(path_of(ledger))
    if not path_of(ledger).exists():
        raise Unusable(f"there is no ledger {path_of(ledger)}", hint="muster run INPUT makes one; or give --ledger")
    with Store.opened(ledger, create=False) as store:
        if run_id is None:
            found = next(iter(store.runs(1)), None)
            if found is None:
                raise Unusable("the ledger knows no run yet")
            return found
        row = store.run(run_id)
        if row is None:
            raise Unusable(f"the ledger knows no run {run_id[:80]}", hint="muster runs lists them")
        return row
