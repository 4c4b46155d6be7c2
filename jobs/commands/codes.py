"""`muster codes`: every code with its meaning and what to do."""

from typing import Any

import click

from jobs.commands.options import effective, options, say, show_json


@click.command("codes")
@click.argument("name", metavar="[CODE]", required=False)
@options("output")
def command(name: str | None, **given: Any) -> None:
    """List every exit code, outcome, reason code, warning, class and failure with its meaning and what to do.

    With CODE (`3`, `phone_taken`, `missing:email`), only what that one means.

    \b
    Examples:
      muster codes
      muster codes phone_taken
      muster codes 75 --output json
    """
    from jobs.codes.listing import listing
    from jobs.errors import Unusable
    from jobs.settings.values import suggestion

    settings = effective(given)
    found = listing(name)
    if name is not None and not any(found.values()):
        known = {code.name for codes in listing().values() for code in codes}
        raise Unusable(f"there is no code {name[:60]!r}{suggestion(name, known)}", hint="muster codes lists them all")
    if settings.output == "json":
        document = {
            kind: [
                {"code": code.name, **({"outcome": code.of} if code.of else {})}
                | {"meaning": code.meaning, "action": code.action}
                for code in codes
            ]
            for kind, codes in found.items()
        }
        show_json({"schema_version": 1, **document})
        return
    for kind, codes in found.items():
        if codes:
            say(kind.replace("_", " "))
        for code in codes:
            say(f"  {code.name}{f' ({code.of})' if code.of else ''}: {code.meaning}\n      {code.action}")
