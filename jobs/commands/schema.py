"""`muster schema`: the input columns of a system."""

from typing import Any

import click

from jobs.commands.options import effective, options, say, show_json
from jobs.systems import DEFAULT, JOBS, SYSTEMS


@click.command("schema")
@click.argument("system", type=click.Choice([*SYSTEMS, *JOBS]), default=DEFAULT)
@click.option(
    "--format", "form", type=click.Choice(["table", "json-schema", "csv"]), default="table", show_default=True
)
@options("output")
def command(system: str, form: str, **given: Any) -> None:
    """Show the input columns of SYSTEM, or of one of its jobs, as a table, a JSON Schema, or an example file.

    \b
    Examples:
      muster schema eclipse
      muster schema eclipse --format csv > customers.csv
      muster schema eclipse --format json-schema
    """
    from schemas.export import column_table, example_csv, json_schema

    if form == "json-schema" or effective(given).output == "json":
        show_json({"schema_version": 1, **json_schema(system)})
    elif form == "csv":
        say(example_csv(system), nl=False)
    else:
        for row in column_table(system):
            need = "required" if row["required"] == "yes" else "optional"
            say(f"{row['column']:<20} {need:<9} {row['kind']:<16} {row['field']:<24} {row['description']}")
