"""`muster config`: the effective settings and where each came from."""

from typing import TYPE_CHECKING, Any

import click

from jobs.commands.options import RUNNING, effective, options, say, show_json

if TYPE_CHECKING:
    from jobs.settings.settings import Settings


@click.command("config")
@click.option("--json-schema", is_flag=True, help="Print the JSON Schema of muster.toml instead, for editors.")
@options(*RUNNING)
def command(json_schema: bool, **given: Any) -> None:
    """Show the effective settings with origin and meaning: all options, and all keys of the system's table.

    \b
    Examples:
      MUSTER_RATE=60/180 muster config --concurrency 4
      muster config --system blink
      muster config --json-schema > muster.schema.json
    """
    from jobs.commands.init import credential, written
    from jobs.run.canary import with_default_canary
    from jobs.settings.meaning import keys_of
    from jobs.settings.secrets import MEANINGS, SECRETS, secret
    from jobs.systems import capabilities

    if json_schema:
        from jobs.settings.json_schema import settings_schema

        show_json(settings_schema())
        return
    settings = effective(given)
    able = capabilities(settings.job_name.adapter)
    settings = with_default_canary(settings, able)
    shown, keys, system = settings.shown(), keys_of(settings), settings.system
    secrets = {name: "set" if secret(name) else "not set" for name in SECRETS}
    meant = MEANINGS | credential(able)
    if settings.output == "json":
        listed = {name: entry(name, value, settings) for name, value in shown.items()}
        listed |= {
            f"{system}.{key.name}": {"value": _plain(key.value), "origin": key.origin}
            | {"default": _plain(key.default), "meaning": key.meaning}
            for key in keys
        }
        file = None if settings.file is None else str(settings.file.absolute())
        document = {"schema_version": 1, "file": file, "settings": listed}
        show_json({**document, "secrets": secrets, "secrets_meaning": meant})
        return
    say(f"settings file: {settings.file.absolute() if settings.file else 'none'}")
    own = {f"{system}.{key.name}" for key in keys}
    for name, value in shown.items():
        if name not in own:
            say(f"{name:<16} {value or '-':<28} {settings.origins.get(name, 'muster.toml')}")
    for name, state in secrets.items():
        say(f"{name:<16} {state:<28} MUSTER_{name.upper()}[_FILE]: {meant[name]}")
    say(f"\n[{system}]")
    for key in keys:
        default = "" if key.origin == "default" else f", default {written(key.default)}"
        say(f"{key.name:<20} {written(key.value):<24} {key.origin}{default}\n    {key.meaning}")


def entry(name: str, value: str, settings: "Settings") -> dict[str, object]:
    """A setting as JSON; `default` and `meaning` where it is an option."""
    from jobs.settings.settings import BY_NAME

    origin = settings.origins.get(name, "muster.toml")
    option = BY_NAME.get(name)
    more = {} if option is None else {"default": _plain(option.default), "meaning": option.help}
    return {"value": value, "origin": origin, **more}


def _plain(value: object) -> object:
    """A value as JSON has it; what it does not have, as text."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
