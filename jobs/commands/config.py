"""`muster config`: the effective settings and where each came from."""

from typing import Any

import click

from jobs.commands.options import RUNNING, effective, options, say, show_json


@click.command("config")
@options(*RUNNING)
def command(**given: Any) -> None:
    """Show the effective settings with their origin: flag, environment, muster.toml or default.

    \b
    Example:
      MUSTER_RATE=60/180 muster config --concurrency 4
    """
    from jobs.run.canary import with_default_canary
    from jobs.settings.secrets import SECRETS, secret
    from jobs.systems import capabilities

    settings = effective(given)
    settings = with_default_canary(settings, capabilities(settings.job_name.adapter))
    shown = settings.shown()
    secrets = {name: "set" if secret(name) else "not set" for name in SECRETS}
    if settings.output == "json":
        listed = {
            name: {"value": value, "origin": settings.origins.get(name, "muster.toml")} for name, value in shown.items()
        }
        show_json({"schema_version": 1, "settings": listed, "secrets": secrets})
        return
    for name, value in shown.items():
        say(f"{name:<16} {value or '-':<28} {settings.origins.get(name, 'muster.toml')}")
    for name, state in secrets.items():
        say(f"{name:<16} {state:<28} MUSTER_{name.upper()}[_FILE]")
