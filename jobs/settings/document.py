"""The file of settings, `muster.toml`: read, checked, its profiles apart. What its values mean is for each option."""

import os
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jobs.errors import Unusable
from jobs.privacy.secret_file import refuse_foreign
from jobs.settings.option import PREFIX
from jobs.settings.secrets import SECRETS
from jobs.settings.values import suggestion
from jobs.systems import SYSTEMS, adapter

PROFILES = "[profile]"
"""Where a checked document holds its profiles; no key of a file is called so."""
NEVER_IN_A_FILE = frozenset({"confirm_tenant", "plan"})
"""Options that speak of one run."""
ALLOWED = "origins"
"""The key of every system's table that names where its credential may be sent: `https://host, https://other:8443`."""
TABLES = ("columns", "dates", "values")
"""Tables of muster.toml that say how a file is read."""


MERGED = frozenset({"echo", "retention"})
"""Options that a file may also give as a table."""


LIFTED = ("evidence", "privacy")
"""Tables whose keys are options."""


def read_document(named: Path | None, options: Collection[str]) -> tuple[dict[str, Any], Path]:
    """The checked content of the configuration file, empty when there is none, with its profiles under `PROFILES`.

    `options`: names of options that people may set. Raises Unusable.
    """
    path = named or Path("muster.toml")
    if path == Path(os.devnull) or (named is None and not path.exists()):
        return {}, path
    try:
        with path.open("rb") as file:
            refuse_foreign(path, os.fstat(file.fileno()), "settings")
            document = tomllib.loads(file.read().decode("utf-8"))
    except OSError as error:
        raise Unusable(f"{path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} is not TOML: {error}") from error
    for key in sorted(key for key in document if key.replace("-", "_") != key and key.replace("-", "_") in document):
        raise Unusable(f"{path}: {key} is given twice, in two spellings")
    document = {key.replace("-", "_"): value for key, value in _lifted(document).items()}
    profiles = document.pop("profile") if isinstance(document.get("profile"), dict) else {}
    _check_keys(document, options, path)
    return flattened(document) | {PROFILES: checked_profiles(profiles, options, path)}, path


def flattened(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document, or a profile of it, with `echo`, `values` and the lists of systems as options have them."""
    echo = {"echo": _echo(document["echo"])} if "echo" in document else {}
    words = {"values": _flat(document["values"])} if "values" in document else {}
    systems = {name: _joined(document[name]) for name in SYSTEMS if name in document}
    term = {"retention": _term(document["retention"])} if "retention" in document else {}
    return dict(document) | systems | echo | words | term


def _joined(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table whose lists (`origins`) are one text each."""
    return {key: ",".join(map(str, each)) if isinstance(each, list) else each for key, each in table.items()}


def checked_profiles(profiles: Mapping[str, Any], options: Collection[str], path: Path) -> dict[str, dict[str, Any]]:
    """`[profile.NAME]`, each checked like the document itself. Raises Unusable."""
    found = {}
    for name, keys in profiles.items():
        if not isinstance(keys, dict):
            raise Unusable(f"{path}: [profile] holds tables, and {name} is none", hint=f"[profile.{name}]")
        given = {key.replace("-", "_"): value for key, value in _lifted(keys).items()}
        _check_keys(given, frozenset(options) - {"profile"}, path, f"[profile.{name}]")
        found[name] = flattened(given)
    return found


def profile_of(document: Mapping[str, Any], named: str | None, path: Path) -> Mapping[str, Any]:
    """The keys of the profile `named`; none without a name. Raises Unusable for one that the file has not."""
    profiles: Mapping[str, Mapping[str, Any]] = document.get(PROFILES, {})
    if named is None:
        return {}
    if named not in profiles:
        raise Unusable(
            f"{path} has no [profile.{named}]{suggestion(named, profiles)}", hint="muster config lists what holds"
        )
    return profiles[named]


def _flat(words: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"{column}.{word}": meant for column, table in words.items() for word, meant in table.items()}


def _term(named: Any) -> Any:
    """`[retention] personal = "90d"` as the option has it."""
    return named.get("personal", "") if isinstance(named, Mapping) else named


def _lifted(document: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `[evidence]` and `[privacy]` beside the others: they are options."""
    tables = {name: document[name] for name in LIFTED if isinstance(document.get(name), Mapping)}
    found = {name: each for name, each in document.items() if name not in tables}
    for table in tables.values():
        found |= table
    return found


def _echo(named: Any) -> str:
    """`[echo]` as the option has it: a table of `header = true`, a list, or the text itself."""
    if isinstance(named, Mapping):
        return ",".join(header for header, shown in named.items() if shown is True)
    return ",".join(map(str, named)) if isinstance(named, list) else str(named)


def _check_keys(document: Mapping[str, Any], options: Collection[str], path: Path, where: str = "") -> None:
    """Raises Unusable for what does not belong there, in the file or in one of its profiles (`where`)."""
    allowed = {*options, *TABLES, *SYSTEMS} - NEVER_IN_A_FILE
    path = Path(f"{path}: {where}") if where else path
    for key, value in document.items():
        if key in SECRETS:
            raise Unusable(
                f"{path}: {key} is a secret and does not belong in a file of settings",
                hint=f"set {PREFIX}{key.upper()}",
            )
        if key not in allowed:
            raise Unusable(f"{path}: unknown key {key!r}{suggestion(key, allowed)}")
        if isinstance(value, dict) is not (key in TABLES or key in SYSTEMS) and key not in MERGED:
            raise Unusable(f"{path}: {key} must be {'a table' if key not in options else 'a plain value'}")
    _check_columns(document, path)
    for name in SYSTEMS:
        _check_system(name, document.get(name, {}), path)
    for header, canonical in document.get("columns", {}).items():
        if not isinstance(canonical, str):
            raise Unusable(f"{path}: [columns] {header!r} must name a column")
    for column, form in document.get("dates", {}).items():
        if not isinstance(form, str):
            raise Unusable(f"{path}: [dates] {column} must be a format such as DD/MM/YYYY")
    for column, words in document.get("values", {}).items():
        if not isinstance(words, dict) or not all(isinstance(meant, str) for meant in words.values()):
            raise Unusable(f"{path}: [values.{column}] must be a table of words", hint='[values.gender] Male = "M"')


def _check_system(name: str, table: Mapping[str, Any], path: Path) -> None:
    """Raises Unusable for a key that the system does not know; what its value may be is for the adapter."""
    known = {*adapter(name).SETTINGS.__dataclass_fields__, ALLOWED} if table else set()
    for key in table:
        if key not in known:
            raise Unusable(f"{path}: [{name}]: unknown key {key!r}{suggestion(key, known)}")


def _check_columns(document: Mapping[str, Any], path: Path) -> None:
    """Raises Unusable for a column in [dates] or [values] that no system and no job has."""
    named = {table: document[table] for table in ("dates", "values") if document.get(table)}
    if not named:
        return
    from schemas.columns import columns_of, models

    known = {column.name for model in models() for column in columns_of(model)}
    for table, columns in named.items():
        for column in columns:
            if column not in known:
                raise Unusable(f"{path}: [{table}]: no system has a column {column!r}{suggestion(column, known)}")
