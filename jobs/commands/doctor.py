"""`muster doctor`: whether a run would get under way, line by line."""

from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import PLACES, TARGET, effective, options, say, show_json, the_clock
from jobs.errors import ExitCode

if TYPE_CHECKING:
    from jobs.systems.optional import Check

MARKS = {True: "pass", False: "FAIL", None: "note"}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Leave the target alone.")
@options(*TARGET, *PLACES, "output")
def command(offline: bool, **given: Any) -> None:
    """Check settings, credential, ledger, disk and target before a run; changes nothing.

    \b
    Examples:
      muster doctor
      muster doctor --offline
      muster doctor --system azakaw --output json

    Each line passes or says what to do. Ends with 1 when one fails, with 75 when the target can't be reached.
    """
    import asyncio

    from jobs.errors import Unreachable
    from jobs.operations.doctor import here, there
    from jobs.systems.optional import Check

    settings = effective(given, warn=False)
    checks, unreachable = list(here(settings, the_clock())), None
    if not offline:
        try:
            checks += asyncio.run(there(settings, the_clock()))
        except Unreachable as error:
            checks.append(Check("target", False, error.message, error.hint))
            unreachable = error
    if settings.output == "json":
        shown = [
            {"check": each.name, "result": MARKS[each.passed].lower(), "found": each.found, "advice": each.advice}
            for each in checks
        ]
        show_json({"schema_version": 1, "system": settings.system, "checks": shown}, unreachable)
    else:
        for each in checks:
            say(line(each))
    if unreachable is not None:
        raise click.exceptions.Exit(ExitCode.UNREACHABLE)
    failed = any(each.passed is False for each in checks)
    raise click.exceptions.Exit(ExitCode.ATTENTION if failed else ExitCode.OK)


def line(check: "Check") -> str:
    """One check as people read it."""
    words = f"{MARKS[check.passed]}  {check.name:<26} {check.found}"
    return words if check.advice is None else f"{words}\n      {'do:':<26} {check.advice}"
