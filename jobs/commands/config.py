"""`muster config`: the effective settings and where each came from."""

from typing import Any

import click

from jobs.commands.options import RUNNING, effective, options, show_json


@click.command("config")
@click.option("--json-schema", is_flag=True, help="Print the JSON Schema of muster.toml instead, for editors.")
@options(*RUNNING)
def command(json_schema: bool, **given: Any) -> None:
    """Show the effective settings with their origin: flag, environment, muster.toml or default.

    \b
    Examples:
      MUSTER_RATE=60/180 muster config --concurrency 4
      muster config --json-schema > muster.schema.json
    """
    from jobs.run.canary import with_default_canary
    from jobs.settings.secrets import SECRETS, secret
    from jobs.systems import capabilities

    if json_schema:
        from jobs.settings.json_schema import settings_schema

        show_json(settings_schema())
        return
    settings = effective(given)
    settings = with_default_canary(settings, capabilities(settings.job_name.adapter))
    shown = settings.shown()
    secrets = {name: "set" if secret(name) else "not set" for name in SECRETS}
    if settings.output == "json":
        listed = {
            name: {"value": value, "origin": settings.origins.get(name, "muster.toml")} for name, value in shown.items()
        }
        file = None if settings.file is None else str(settings.file.absolute())
        show_json({"schema_version": 1, "file": file, "settings": listed, "secrets": secrets})
        return
    click.echo(f"settings file: {settings.file.absolute() if settings.file else 'none'}")
    for name, value in shown.items():
        click.echo(f"{name:<16} {value or '-':<28} {settings.origins.get(name, 'muster.toml')}")
    for name, state in secrets.items():
        click.echo(f"{name:<16} {state:<28} MUSTER_{name.upper()}[_FILE]")
