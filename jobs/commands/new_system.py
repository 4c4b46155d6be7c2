"""`muster new-system`: the beginnings of a further system, in a checkout of this program."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.options import options, say, show_json


@click.command("new-system")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    show_default=True,
    help="The checkout.",
)
@options("output")
def command(name: str, into: Path, **given: Any) -> None:
    """Write the beginnings of the system NAME into a checkout: adapter, columns, stand-in, battery entry, pages.

    \b
    Examples:
      muster new-system acme
      muster new-system acme --into ~/muster

    All tests pass at once, against a made-up API with a stand-in of its own. CONTRIBUTING.md says how to go on.
    """
    from jobs.commands.options import effective
    from jobs.operations.new_system import begin

    settings = effective(given, warn=False)
    changes = begin(name, into)
    if settings.output == "json":
        made = [{"path": str(each.path), "made": each.made} for each in changes]
        show_json({"schema_version": 1, "system": name, "files": made})
        return
    for each in changes:
        say(f"{'made' if each.made else 'changed'} {each.path}")
    say("next: make fmt; python -m tests.conformance.systems.table, then")
    say(f"next: python -m pytest tests/conformance/systems -k {name}; and CONTRIBUTING.md")
