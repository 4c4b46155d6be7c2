"""The input columns for people and programs: a table, a JSON Schema, an example file.

From the same source as the checks, so that none of them can say something else.
"""

import csv
import io
from typing import Any

from schemas.column import Column
from schemas.columns import columns_of

_KINDS = {
    "name": "name",
    "text": "text",
    "phone": "phone",
    "email": "e-mail",
    "identity": "identity number",
    "key": "key",
    "reference": "text",
    "date": "date",
    "code": "code",
    "file": "file",
}


def column_table(system: str) -> list[dict[str, str]]:
    """One row a column: `column`, `required` (yes/no), `kind`, `field` (of the target's request), `description`."""
    return [
        {
            "column": column.name,
            "required": "yes" if column.required else "no",
            "kind": _KINDS[column.kind],
            "field": column.api or "",
            "description": column.description,
        }
        for column in columns_of(system)
    ]


def json_schema(system: str) -> dict[str, Any]:
    """JSON Schema 2020-12 of one row as `validate` normalises it; columns that it doesn't name are allowed."""
    columns = columns_of(system)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:muster:input:{system}",
        "title": f"{system} input row",
        "type": "object",
        "required": [column.name for column in columns if column.required],
        "properties": {column.name: _property(column) for column in columns if not column.numbered},
        "patternProperties": {
            f"^{column.gathers}[1-9][0-9]*_{each.name}$": _property(each)
            for column in columns
            for each in column.numbered
        },
        "additionalProperties": True,
    }


def example_csv(system: str) -> str:
    """A header and one row that passes, with LF line ends; it names no documents, which it can't bring along."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = [column for column in columns_of(system) if not column.numbered]
    documents = {_parent(column) for column in columns if column.kind == "file"} - {""}
    writer.writerow(column.name for column in columns)
    writer.writerow(
        "" if column.kind == "file" or _parent(column) in documents else column.example for column in columns
    )
    return text.getvalue()


def _parent(column: Column) -> str:
    """The member of the request that a column's field is inside of; empty for one of the first level."""
    return (column.api or "").rpartition(".")[0]


def _property(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "string",
        "description": column.description,
        "minLength": 1,
        "examples": [column.example] if column.example else [],
        "x-kind": column.kind,
        "x-api": column.api,
        "x-aliases": list(column.aliases),
        "x-personal": column.personal,
        "x-reason": column.refusal,
    }
    if column.pattern:
        found["pattern"] = column.pattern
    if column.kind in ("email", "date"):
        found["format"] = "idn-email" if column.kind == "email" else "date"
    if column.longest:
        found["maxLength"] = column.longest
    if column.advised:
        found["x-advised-length"] = list(column.advised)
    return found
