"""`muster employees`: those in whose name customers are made at the target."""

from typing import Any

import click

from jobs.commands.lookup import printed
from jobs.commands.options import TARGET, effective, options, say, show_json, the_clock


@click.command("employees")
@options(*TARGET, "ledger", "output")
def command(**given: Any) -> None:
    """List the target's employees with id and name: one of the ids is the setting `employee_id` (Azakaw).

    \b
    Examples:
      muster employees --system azakaw
      muster employees --system azakaw --output json

    It needs the credential and nothing of the system's table in muster.toml. Names are shown: they are the tenant's own
    staff, and no customers.
    """
    import asyncio

    from jobs.errors import Unusable
    from jobs.operations.lookup import EMPLOYEES, listed
    from jobs.systems import capabilities

    settings = effective(given)
    able = capabilities(settings.job_name.adapter)
    if not able.staff:
        raise Unusable(f"{able.title} has no employees to name", hint="leave it out: its customers are nobody's")
    staff = asyncio.run(listed(settings, the_clock(), EMPLOYEES))
    if settings.output == "json":
        show_json({"schema_version": 1, "employees": [dict(each) for each in staff]})
        return
    for each in staff:
        say(f"{printed(each['id'])}  {printed(each['name'])}")
    if not staff:
        say("muster: the target shows no employees", err=True)
