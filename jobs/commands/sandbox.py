"""`muster sandbox`: serves the local stand-in of the target systems."""

from collections.abc import Mapping
from typing import Any

import click

from jobs.commands.options import say, show_json
from jobs.errors import Unusable


@click.command("sandbox")
@click.option("--system", "wanted", default=None, help="Print only this system's base URL.  [default: all]")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--strictness", type=click.Choice(["seed", "vendor"]), default="seed", show_default=True)
@click.option("--latency-ms", type=click.FloatRange(0, 60_000), default=0, help="Added to every answer.")
@click.option(
    "--kyc-polls", type=click.IntRange(0, 1000), default=2, show_default=True, help="Reads until a slow KYC ends."
)
@click.option("--output", "form", type=click.Choice(("text", "json")), help="Form of what is printed.")
def command(wanted: str | None, port: int, form: str | None, **given: Any) -> None:
    """Serve local stand-ins of the systems on the loopback interface, with scenarios and faults.

    Prints a line with name and base URL for each system, Eclipse's first.

    \b
    Examples:
      muster sandbox --port 8080
      muster sandbox --port 8080 --system azakaw
      MUSTER_IDENTITY=operator MUSTER_PASSWORD=operator-password \\
        muster run sample_data/clean_20.csv --base-url http://127.0.0.1:8080 --tenant 1001

    What it does, and how to make it misbehave: docs/sandbox.md.
    """
    try:
        from jobs.sandbox.server import SYSTEMS, serve
    except ImportError:
        hint = "pip install 'muster-onboarding[sandbox]'"
        raise Unusable("the sandbox needs starlette and uvicorn, which are not installed", hint=hint) from None
    from jobs.settings.settings import output_form

    form = form or output_form(())
    if wanted is not None and wanted not in SYSTEMS:
        raise Unusable(f"there is no sandbox for {wanted}; there is one for {', '.join(SYSTEMS)}")

    def announce(urls: Mapping[str, str]) -> None:
        shown = {name: url for name, url in urls.items() if wanted in (None, name)}
        if form == "json":
            show_json({"schema_version": 1, "systems": shown})
            return
        for name, url in shown.items():
            say(f"{name} {url}")

    try:
        serve("127.0.0.1", port, announce=announce, **given)
    except OSError as error:
        raise Unusable(f"port {port} can't be used: {error.strerror}", hint="--port 0 takes a free one") from error
