"""Options shared by commands, made from `jobs.settings.settings.OPTIONS`, and what all commands do with them."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jobs.commands.invocation import Invocation, tell, told_to_somebody
from jobs.errors import WORDS, ExitCode, MusterError, strongest
from jobs.printable import escaped, printable
from jobs.settings.precedence import settings
from jobs.settings.settings import BY_NAME, Settings, proxy_left_out, unknown_variables
from jobs.storage.address import is_address, named
from jobs.storage.workplace import copies_in, work_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.clock import Clock
    from jobs.ledger.place import Place
    from jobs.ledger.rows import RunRow
    from jobs.progress import Progress
    from jobs.reports.summary import Summary

F = TypeVar("F", bound=Callable[..., Any])

TARGET = (
    "profile",
    "system",
    "base_url",
    "moved_from",
    "proxy",
    "ca_file",
    "tenant",
    "concurrency",
    "rate",
    "outage_wait",
)
READING = ("region", "encoding", "delimiter", "files", "strict_ids", "restore_zeros", "skip_lines", "echo")
PLACES = ("ledger", "out", "work")
PRINTING = ("output", "no_progress")
GATES = ("max_quarantined", "min_rows", "expect_rows")
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
    *GATES,
    "breaker",
    "same_cause",
    "canary",
    "reread",
    "limit",
    "lock_timeout",
    "protected",
    "confirm_tenant",
    "retention",
    "recipient",
    "witness",
    "timestamp_url",
    "object_lock",
    "object_lock_days",
    "object_lock_all",
    "fail_on",
    "exit_zero",
    "yes",
    "notify",
    "ping",
    "metrics",
    "otlp",
    *PRINTING,
)


SHARING = ("engine", "ray_address", "workers", "shards", "egress", "egress_agreement")
"""Options of commands whose rows several processes may share."""

MAKING_RUNS = frozenset({"run", "register", "resume", "retry", "kyc", "decide", "create"})
"""Commands whose end is told to whom --notify, --ping and --metrics name."""

FEW = 3
"""Ledgers elsewhere that are named; chosen."""


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
    help="A CSV: row, decision (ours, not_done, another_person, give_up or leave), customer_id, reason, decided_by.",
)


def effective(given: dict[str, Any], recorded: "RunRow | None" = None, *, warn: bool = True) -> Settings:
    """The settings from what click collected; warns of variables that are misspelt. Raises Unusable.

    `recorded`: the run that is gone on with; what it was run with counts before the defaults.
    """
    for name in unknown_variables() if warn else ():
        say_once(f"warning: unknown variable {name}")
    flags = {name: value for name, value in given.items() if name in BY_NAME}
    found = settings(flags, config=given.get("config"), recorded=None if recorded is None else recorded.settings)
    if warn and "proxy" in given and (unused := proxy_left_out(found)) and not given.get("quiet"):
        say_once(f"{unused} is set, and not used: the target is called directly; --proxy URL goes through a proxy")
    if warn and "concurrency" in given and not given.get("quiet") and found.base_url is not None:
        say_once(_where(found))
    if any(found.workplace.glob(".work-*")):  # of a command at work, or of one that was killed
        from jobs.intake.workspace import sweep_dead

        sweep_dead(found.workplace)
    work_in(found.workplace)
    if copies_in().is_dir():
        from jobs.storage.copies import sweep

        sweep()
    if any(found.out.glob(".*.lock")):
        from jobs.reports.twin import drop_locks

        drop_locks(found.out)
    context = click.get_current_context()
    if context.command.name in MAKING_RUNS:
        the_clock()  # the end is told by it, also when nothing below was reached
        context.ensure_object(Invocation).begin(found)
    return found


def _where(settings_: Settings) -> str:
    """Where calls and credential go, for a sentence before the login."""
    from jobs.run.origins import origins_of

    target, *others = origins_of(settings_)
    return f"calls and credential go to {target}" + (f", logins to {', '.join(others)}" if others else "")


def the_clock() -> "Clock":
    """The one clock of the command; what it calls is given it, and makes none of its own."""
    from jobs.clock import Clock

    invocation = click.get_current_context().ensure_object(Invocation)
    invocation.clock = invocation.clock or Clock()
    return invocation.clock


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Prints lines for people; what drives a terminal is shown and not obeyed, whoever it came from."""
    click.echo("\n".join(printable(line) for line in text.split("\n")), err=err, nl=nl)


def draw_over(lines: int, text: str = "") -> None:
    """Takes back the last `lines` of a terminal and prints `text` in their place."""
    click.echo(f"\x1b[{lines}A\x1b[J" if lines else "", nl=False)
    if text:
        say(text)


def say_once(sentence: str) -> None:
    """Says something on stderr, once a command however often its settings are asked for; nobody has to be reading."""
    said: set[str] = click.get_current_context().meta.setdefault("jobs.said", set())
    if sentence not in said:
        try:
            say(f"muster: {sentence}", err=True)
        except OSError:  # Python shall not try it again when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    said.add(sentence)


def progress_of(settings_: Settings, given: dict[str, Any]) -> "Progress":
    """Bars on a terminal, plain lines elsewhere, silence with -q."""
    from jobs.progress import Lines, Progress, Terminal

    if given.get("quiet"):
        return Progress()
    return Terminal() if sys.stderr.isatty() and not settings_.no_progress else Lines()


def show(summary: "Summary", settings_: Settings, given: dict[str, Any]) -> None:
    """Prints the summary in the form asked for, and ends with its exit code."""
    from jobs.reports.text import render_text

    tell_end(summary, settings_)
    try:
        if settings_.output == "json":
            show_document(summary.to_json(), failure_of(summary))
        elif not given.get("quiet"):
            say(render_text(summary), nl=False)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        code = strongest({ExitCode(summary.exit_code), ExitCode.POLICY})
        words = f"the result of run {summary.run_id} can't be printed: {error.strerror}; its files are whole"
        raise MusterError.ending(code, words, f"muster status {summary.run_id}") from error
    say_brief(summary, settings_, given)
    raise click.exceptions.Exit(int(summary.exit_code))


def say_brief(summary: "Summary", settings_: Settings, given: dict[str, Any]) -> None:
    """Says on stderr what a person has to know of a run that did not end with 0, where stdout does not say it."""
    from jobs.reports.brief import render_brief

    if summary.exit_code and (given.get("quiet") or settings_.output == "json"):
        say(f"muster: {render_brief(summary, report_of(summary, settings_))}", nl=False, err=True)


def tell_end(summary: "Summary", settings_: Settings) -> None:
    """Tells the end of a run to whom the settings name."""
    invocation = click.get_current_context().ensure_object(Invocation)
    invocation.settings = None
    if told_to_somebody(settings_):
        from jobs.operations.notices import of_run

        tell(of_run(summary, report_of(summary, settings_)), settings_, the_clock(), invocation.start)


def report_of(summary: "Summary", settings_: Settings) -> str | None:
    """The page of the run that `summary` is of, as an absolute path; None: a later reconciliation has none."""
    if is_address(settings_.out):
        return named(settings_.out / summary.run_id / "report.html")
    page = (settings_.out / summary.run_id / "report.html").absolute()
    return str(page) if page.is_file() else None


def confirmed(question: str, settings_: Settings) -> None:
    """Asks a person at a terminal; `--yes`, and a scheduler, are taken at their word. Ends the command on no."""
    if sys.stdin.isatty() and not settings_.yes:
        click.confirm(question, abort=True, err=True)


def show_json(document: "Mapping[str, object]", failure: MusterError | None = None) -> None:
    """Prints exactly one JSON document; with `error` when the command is about to end as `failure` says."""
    import orjson

    whole = dict(document) if failure is None else {**document, "error": failure.document()}
    show_document(orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def show_document(document: bytes, failure: MusterError | None = None) -> None:
    """Prints a document that is written already."""
    import orjson

    if failure is not None:
        return show_json(orjson.loads(document), failure)
    click.get_current_context().ensure_object(Invocation).document = True
    click.echo(escaped(document.decode()), nl=False)
    return None


def failure_of(*summaries: "Summary") -> MusterError | None:
    """What a program is told of runs that were stopped, or whose books do not close; None: they came to their end."""
    from jobs.reports.summary import MEANINGS

    code = strongest({ExitCode(int(summary.exit_code)) for summary in summaries})
    strongest_one = next(summary for summary in summaries if int(summary.exit_code) == code)
    words = (code is ExitCode.PERMISSION and strongest_one.stop) or MEANINGS[code]
    return MusterError.ending(code, words, strongest_one.next_command) if code in WORDS else None


def no_ledger(place: "Place") -> tuple[str, str]:
    """That there is no ledger at `place`, and where there is one: above this folder, or in a folder here."""
    here, name = Path.cwd(), place.name
    places = [*(folder / name for folder in here.parents), *sorted(here.glob(f"*/{name}"))]
    found = [place for place in places if _readable(place)][:FEW]
    known = " or ".join(f"--ledger sqlite:///{place}" for place in found)
    hint = f"runs are known in {known}" if known else "muster run INPUT makes one; or give --ledger"
    return f"there is no ledger {place.whole_name}", hint


def _readable(place: Path) -> bool:
    return place.is_file() and os.access(place, os.R_OK)


def ledger_there(ledger: str) -> None:
    """Raises Unusable, with where else runs are known, when there is no ledger."""
    from jobs.errors import Unusable
    from jobs.ledger.place import place_of

    place_of(ledger).refuse_remains()
    if not place_of(ledger).exists():
        words, hint = no_ledger(place_of(ledger))
        raise Unusable(words, hint=hint)


def chosen_run(ledger: str, run_id: str | None) -> "RunRow":
    """The run `run_id`, or the newest one. Raises Unusable when there is none."""
    from jobs.errors import Unusable
    from jobs.ledger.store import Store

    ledger_there(ledger)
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
