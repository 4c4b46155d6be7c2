"""muster.toml as a JSON Schema, for editors: keys with their meaning, and nothing else is allowed."""

from dataclasses import fields
from typing import Any

from jobs.settings.document import NEVER_IN_A_FILE, TABLES
from jobs.settings.meaning import meanings
from jobs.settings.settings import OPTIONS
from jobs.systems import SYSTEMS, adapter

IN_TABLES = {
    "evidence": ("witness", "timestamp_url", "object_lock", "object_lock_days", "object_lock_all"),
    "privacy": ("recipient",),
}
"""Options that a file may also give in a table."""

TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}


def settings_schema() -> dict[str, Any]:
    """The schema of a whole file, its profiles too."""
    keys = _keys()
    profile = {name: schema for name, schema in keys.items() if name != "profile"}
    named = {"type": "object", "additionalProperties": _table(profile, "One profile, chosen with --profile.")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "muster.toml",
        **_table({**keys, "profile": {"anyOf": [{"type": "string"}, named]}}, "Settings of muster."),
    }


def _keys() -> dict[str, Any]:
    found = {
        each.name: {**_type(each.default, switch=each.metavar is None), "description": each.help}
        for each in OPTIONS
        if each.given and each.name not in NEVER_IN_A_FILE
    }
    found["system"]["enum"] = list(SYSTEMS)
    found["output"]["enum"] = ["text", "json"]
    echo = {"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "object"}], "description": "Columns to be shown."}
    words = {"type": "object", "additionalProperties": TEXTS}
    tables = {name: _table({each: found[each] for each in its}, "Options.") for name, its in IN_TABLES.items()}
    return (
        found
        | tables
        | {"echo": echo}
        | dict.fromkeys(TABLES, TEXTS)
        | {"values": words}
        | {n: _system(n) for n in SYSTEMS}
    )


def _system(name: str) -> dict[str, Any]:
    kind = adapter(name).SETTINGS
    told = meanings(kind)
    known = {
        each.name: {
            **_type(each.default, switch=isinstance(each.default, bool)),
            "description": told.get(each.name, ""),
        }
        for each in fields(kind)
    }
    return _table(known, f"Settings of {name}.")


def _table(properties: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": False}


def _type(default: object, *, switch: bool) -> dict[str, Any]:
    """A switch is a truth value; everything else may be written as a text or a number, and lists as lists."""
    if switch:
        return {"type": "boolean"}
    return {"type": "array"} if isinstance(default, tuple | list) else {"type": ["string", "number"]}
