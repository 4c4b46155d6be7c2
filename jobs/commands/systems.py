"""`muster systems`: the systems and what each can do."""

from dataclasses import asdict
from typing import Any

import click

from jobs.commands.options import effective, options, show_json


@click.command("systems")
@options("output")
def command(**given: Any) -> None:
    """List the systems and what each can do.

    \b
    Example:
      muster systems --output json
    """
    from jobs.systems import CAPABILITIES

    settings = effective(given)
    if settings.output == "json":
        show_json({"schema_version": 1, "systems": {name: asdict(each) for name, each in CAPABILITIES.items()}})
        return
    for name, each in CAPABILITIES.items():
        click.echo(f"{name}: {each.title}")
        click.echo(f"  creates customers   {'yes' if each.creates_customers else 'no'}")
        click.echo(f"  idempotency key     {each.idempotency_key or 'none'}")
        click.echo(f"  steps of a row      {', '.join(each.steps)}")
        click.echo(f"  look-up by          {', '.join(each.lookups)}")
        click.echo(f"  documented limit    {each.documented_limit}")
        click.echo(f"  decision            {each.decision or 'none'}")
