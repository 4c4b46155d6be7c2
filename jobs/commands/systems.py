"""`muster systems`: the systems and what each can do."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import effective, options, say, show_json

if TYPE_CHECKING:
    from jobs.systems.contract import Capabilities


@click.command("systems")
@options("output")
def command(**given: Any) -> None:
    """List the systems and what each can do.

    \b
    Example:
      muster systems --output json
    """
    from jobs.systems import SYSTEMS, capabilities

    settings = effective(given)
    able = {name: capabilities(name) for name in SYSTEMS}
    if settings.output == "json":
        show_json({"schema_version": 1, "systems": {name: shown(each) for name, each in able.items()}})
        return
    for name, each in able.items():
        say(f"{name}: {each.title}")
        say(f"  creates customers   {'yes' if each.creates_customers else 'no'}")
        say(f"  idempotency key     {each.idempotency_key or 'none'}")
        say(f"  steps of a row      {', '.join(each.steps)}")
        say(f"  look-up by          {', '.join(each.lookups) or 'nothing'}")
        say(f"  documented limit    {each.documented_limit}")
        say(f"  decision            {each.decision or 'none'}")
        if each.downloads:
            say(f"  profiles            {', '.join(each.downloads)}")
        if each.exports:
            say(f"  muster export       {', '.join(each.exports)}")
        if each.notices:
            say("  muster webhook      profile updates")
        if each.full:
            say(f"  reconcile --full    {each.full}")
        if each.commands:
            say(f"  muster decide       {', '.join(each.commands)}")


def shown(able: "Capabilities") -> dict[str, Any]:
    """Shows a value as JSON: sets are sorted lists."""
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in asdict(able).items()
        if name != "decided"
    }
