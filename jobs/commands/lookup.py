"""`muster lookup`: finds customers in the target; several hits are listed and never chosen."""

import sys
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import TARGET, effective, options, show_json
from jobs.errors import ExitCode, Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.config import Settings

WANTED = {
    "phone": "phone",
    "identity": "identity",
    "email": "email",
    "reference": "reference",
    "first_name": "name",
    "last_name": "name",
    "customer_id": "customer-id",
}
"""Option to the name under which a system's capabilities offer it."""


@click.command("lookup")
@click.option("--phone", help="Phone number in any spelling.")
@click.option("--identity", help="Identity number.")
@click.option("--email", help="E-mail address, where the system finds by it.")
@click.option("--reference", help="Our own reference that the target keeps, where the system finds by it.")
@click.option("--first-name", help="First name; with or without the last.")
@click.option("--last-name", help="Last name.")
@click.option("--customer-id", help="The target's own id.")
@options(*TARGET, "region", "output")
def command(**given: Any) -> None:
    """Find customers by phone, identity number, name or id.

    \b
    Examples:
      muster lookup --customer-id 3847291
      muster lookup --identity -          (asks, so that it stays out of the process list)
      muster lookup --first-name Sipho --last-name Dlamini --output json

    Ends with 1 when nobody was found. Personal values are shown masked.
    """
    import asyncio

    settings = effective(given)
    wanted = _wanted(given, settings)
    found = [masked(record) for record in asyncio.run(_find(settings, wanted))]
    if settings.output == "json":
        show_json({"schema_version": 1, "customers": found})
    else:
        for record in found:
            click.echo("  ".join(f"{name}={value}" for name, value in record.items()))
        if len(found) > 1:
            click.echo(f"muster: {len(found)} customers fit; confirm which one is meant", err=True)
        elif not found:
            click.echo("muster: nobody fits", err=True)
    raise click.exceptions.Exit(ExitCode.OK if found else ExitCode.ATTENTION)


def _wanted(given: dict[str, Any], settings: "Settings") -> dict[str, str]:
    """What to look for, values given as `-` read from the terminal or stdin."""
    from jobs.intake.phones import normalise_phone

    wanted = {name: given[name] for name in WANTED if given[name]}
    if len(set(wanted) - {"first_name", "last_name"}) > 1 or (
        len(wanted) > 1 and not set(wanted) <= {"first_name", "last_name"}
    ):
        raise Unusable("give one of --phone, --identity, --customer-id, or names")
    if not wanted:
        raise Unusable("give --phone, --identity, --customer-id, --first-name or --last-name")
    for name in wanted:
        offered(name, settings)
    wanted = {name: _typed(name) if value == "-" else value for name, value in wanted.items()}
    if "phone" in wanted:
        number = normalise_phone(wanted["phone"], settings.region)
        if number is None:
            raise Unusable("--phone is not a phone number", hint="with country code, or with --region")
        wanted["phone"] = number
    return wanted


def offered(name: str, settings: "Settings") -> None:
    """Raises Unusable when the system finds nobody by the option `name`."""
    from jobs.systems import capabilities

    able = capabilities(settings.model)
    if WANTED[name] not in able.lookups:
        words = ", ".join(able.lookups) or "nothing"
        raise Unusable(f"{able.title} can't find customers by {WANTED[name]}", hint=f"it finds them by {words}")


def _typed(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(name.replace("_", " "), hide_input=True, err=True))
    value = sys.stdin.readline().strip()
    if not value:
        raise Unusable(f"stdin gave no {name.replace('_', ' ')}")
    return value


async def _find(settings: "Settings", wanted: "Mapping[str, str]") -> "list[Mapping[str, str]]":
    from jobs.access import connected, credential_of, system_of
    from jobs.clock import Clock
    from jobs.errors import MusterError
    from jobs.systems.base import ReadFailed

    system = system_of(settings)
    async with connected(settings, system, credential_of(settings, reading=True), Clock()) as client:
        try:
            return list(await system.find(client, wanted))
        except ReadFailed as error:
            trace = f" (trace {error.trace.trace_id})" if error.trace.trace_id else ""
            raise MusterError(f"the target could not be read: {error.reason}{trace}") from None


def masked(record: "Mapping[str, str]") -> dict[str, str]:
    """A profile as it may be shown: ids, status and times as they are, everything personal masked."""
    from jobs import masking

    shown = {"customerId", "status", "created", "lastModified", "externalUniqueId", "userTypeId", "title", "version"}
    shown |= {"kycState", "submissionDate"}
    rules = {"phone1": masking.phone, "email": masking.email, "firstName": masking.name, "lastName": masking.name}
    return {
        name: value if name in shown else rules.get(name, masking.identity)(value) for name, value in record.items()
    }
