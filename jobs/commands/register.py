"""`muster register`: self-registration of customers with the ONBOARDING credential."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.erasing import keep_retention
from jobs.commands.options import (
    RUNNING,
    effective,
    failure_of,
    options,
    progress_of,
    say,
    say_brief,
    show,
    show_json,
    tell_end,
    the_clock,
)
from jobs.errors import MusterError

if TYPE_CHECKING:
    from jobs.reports.summary import Summary
    from jobs.settings.settings import Settings


@click.command("register")
@click.argument("input_path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--then-onboard", is_flag=True, help="Go on with KYC and wallet.")
@click.option(
    "--as",
    "who",
    type=click.Choice(("operator", "customer")),
    default="operator",
    show_default=True,
    help="Who goes on: MUSTER_OPERATOR_IDENTITY in a run of its own, or each customer with its own token.",
)
@options("passwords", "encrypt_to", "control", *RUNNING)
def command(input_path: Path, then_onboard: bool, who: str, **given: Any) -> None:
    """Register the customers of INPUT with the ONBOARDING credential: customer, login, proof of the login.

    \b
    Examples:
      muster register customers.csv --passwords delivered.csv
      muster register customers.csv --passwords delivered.csv --encrypt-to helpdesk.pem
      muster register customers.csv --passwords delivered.csv --then-onboard --as customer
      MUSTER_OPERATOR_IDENTITY=operator MUSTER_OPERATOR_PASSWORD_FILE=pw muster register customers.csv --then-onboard

    Rows need a login name (column identity). A row without a password gets one, which only the file of --passwords
    shows. The ONBOARDING credential runs no KYC: an operator's `muster run` of the same file does, or --then-onboard,
    with the operator's credential or, `--as customer`, with each customer's own token.
    """
    from jobs.flow import onboard

    own = then_onboard and who == "customer"
    settings = effective(given | {"job": "registration"} | ({"own": True} if own else {}))
    registered_by(settings)
    after = onboarding_after(given) if then_onboard and not own else None
    summary = onboard("register", input_path, settings, the_clock(), progress=progress_of(settings, given))
    if after is None or not may_go_on(summary):
        keep_retention(settings, given)
        show(summary, settings, given)
    assert after is not None
    try:
        second = onboard("run", input_path, after, the_clock(), progress=progress_of(after, given))
    except MusterError as error:
        show_first(summary, error, settings, given)
        raise
    keep_retention(settings, given)
    show_both(summary, second, settings, given)


def registered_by(settings: "Settings") -> None:
    """Raises Unusable when the system knows no self-registration."""
    from jobs.errors import Unusable
    from jobs.systems import JOBS

    if settings.job_name.adapter not in JOBS:
        raise Unusable(f"{settings.system} has no self-registration", hint="muster systems")


def onboarding_after(given: dict[str, Any]) -> "Settings":
    """The settings of the run that follows: the operator's, with a name of its own. Raises Unusable."""
    from jobs.run.wiring import credential_of

    settings = effective(given | {"job": "onboarding", "operator": True, "run_id": None}, warn=False)
    credential_of(settings)
    return settings


def may_go_on(summary: "Summary") -> bool:
    """Whether the registration came to its end, whatever became of single rows."""
    from jobs.errors import ExitCode

    return summary.exit_code in {ExitCode.OK, ExitCode.ATTENTION, ExitCode.PENDING}


def show_first(first: "Summary", error: MusterError, settings: "Settings", given: dict[str, Any]) -> None:
    """Prints the summary of the registration, after which the onboarding could not be begun."""
    import orjson

    from jobs.reports.summary import SCHEMA_VERSION
    from jobs.reports.text import render_text

    if settings.output == "json":
        show_json({"schema_version": SCHEMA_VERSION, "registration": orjson.loads(first.to_json())}, error)
    elif not given.get("quiet"):
        say(render_text(first), nl=False)


def show_both(first: "Summary", second: "Summary", settings: "Settings", given: dict[str, Any]) -> None:
    """Prints both summaries, and ends with the stronger exit code, of whose run the end is told."""
    import orjson

    from jobs.errors import ExitCode, strongest
    from jobs.reports.summary import SCHEMA_VERSION
    from jobs.reports.text import render_text

    both = {"registration": orjson.loads(first.to_json()), "onboarding": orjson.loads(second.to_json())}
    if settings.output == "json":
        show_json({"schema_version": SCHEMA_VERSION, **both}, failure_of(first, second))
    elif not given.get("quiet"):
        say("\n".join(render_text(each) for each in (first, second)), nl=False)
    code = strongest({ExitCode(int(each.exit_code)) for each in (first, second)})
    tell_end(second if second.exit_code == code else first, settings)
    for each in (first, second):
        say_brief(each, settings, given)
    raise click.exceptions.Exit(int(code))
