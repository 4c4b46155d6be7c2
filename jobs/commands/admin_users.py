"""`muster admin-users`: creates the portal users of a tenant from a file, and lists them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.lookup import printed, refuse_reveal
from jobs.commands.options import RUNNING, TARGET, effective, options, progress_of, say, show, show_json, the_clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.settings.settings import Settings

SHOWN = ("adminUserId", "identity", "firstName", "lastName", "email", "phone1", "positions")
"""Columns of a list, in the target's spelling."""


@click.group("admin-users")
def command() -> None:
    """Create and list the portal users of a tenant (Eclipse).

    \b
    Examples:
      muster admin-users create users.csv --passwords delivered.csv
      muster admin-users list
    """


@command.command("create")
@click.argument("input_path", metavar="FILE", type=click.Path(path_type=Path))
@options("passwords", "encrypt_to", "allow_privileged", "control", *RUNNING)
def create(input_path: Path, **given: Any) -> None:
    """Create the portal users of FILE, report and reconcile; a login name that is taken is left alone.

    \b
    Examples:
      muster admin-users create users.csv --passwords delivered.csv
      muster admin-users create operators.csv --passwords delivered.csv --allow-privileged

    A row without a password gets one, which only the file of --passwords shows. Rows with TENANT_SYSTEM or ONBOARDING
    need --allow-privileged. The same file again changes nothing at the target; muster resume goes on with it.
    """
    from jobs.flow import onboard

    settings = _with_portal_users(given)
    show(
        onboard("admin-users", input_path, settings, the_clock(), progress=progress_of(settings, given)),
        settings,
        given,
    )


@command.command("list")
@click.option("--output", "form", type=click.Choice(("text", "json", "csv")), help="Form of what is printed.")
@click.option("--reveal", is_flag=True, help="Show names, e-mails and phones; on a terminal only.")
@options(*TARGET, "ledger")
def list_(form: str | None, reveal: bool, **given: Any) -> None:
    """List the portal users of the tenant: ids, login names, positions; the rest is masked.

    \b
    Examples:
      muster admin-users list
      muster admin-users list --output csv > users.csv
    """
    import asyncio

    from jobs.operations.lookup import PORTAL_USERS, listed

    settings = _with_portal_users(given)
    if reveal:
        refuse_reveal()
        say("muster: personal data is shown: clear the screen when you are done", err=True)
    users = [shown(user, reveal=reveal) for user in asyncio.run(listed(settings, the_clock(), PORTAL_USERS))]
    form = form or settings.output
    if form == "json":
        show_json({"schema_version": 1, "admin_users": users})
    else:
        say(sheet(users) if form == "csv" else table(users), nl=False)


def _with_portal_users(given: dict[str, Any]) -> "Settings":
    """The settings of this job. Raises Unusable when the system has no portal users."""
    from jobs.errors import Unusable
    from jobs.systems import JOBS

    settings = effective(given | {"job": "portal-users"})
    if settings.job_name.adapter not in JOBS:
        raise Unusable(f"{settings.system} has no portal users", hint="muster systems")
    return settings


def shown(user: "Mapping[str, str]", *, reveal: bool) -> dict[str, str]:
    """A user as it may be shown. A login name is no secret; one that is an e-mail or a number is masked as that."""
    from jobs.privacy import masking

    plain = {name: user.get(name, "") for name in SHOWN}
    if reveal:
        return plain
    return plain | {
        "identity": masking.text(plain["identity"]),
        "firstName": masking.name(plain["firstName"]),
        "lastName": masking.name(plain["lastName"]),
        "email": masking.email(plain["email"]),
        "phone1": masking.phone(plain["phone1"]),
    }


def table(users: "Sequence[Mapping[str, str]]") -> str:
    """Aligned columns, for a terminal."""
    lines = [list(SHOWN), *([printed(user[name]) for name in SHOWN] for user in users)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(SHOWN))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(line.rstrip() + "\n" for line in padded)


def sheet(users: "Sequence[Mapping[str, str]]") -> str:
    """CSV, safe to open in a spreadsheet."""
    import csv
    import io

    from jobs.reports.spreadsheet import guard

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([SHOWN, *([guard(user[name]) for name in SHOWN] for user in users)])
    return text.getvalue()
