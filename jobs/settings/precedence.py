"""Which value each setting has: flag beats environment beats profile beats muster.toml beats the run gone on with."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.disk import refuse_unwritable, shown, written_so
from jobs.errors import Unusable
from jobs.settings.document import TABLES, profile_of, read_document
from jobs.settings.option import PREFIX, Option
from jobs.settings.settings import ALLOWED, BY_NAME, OPTIONS, Settings
from jobs.settings.system_table import recorded_table
from jobs.systems import SYSTEMS
from jobs.transport.proxy import Proxy


def settings(
    flags: Mapping[str, Any],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    recorded: Mapping[str, object] | None = None,
    document: dict[str, Any] | None = None,
) -> Settings:
    """The effective settings. `flags` holds what the command line gave, as text or True. Raises Unusable.

    `recorded`: what an earlier run was run with; it counts before the defaults, so that a resume is that run again.

    `config` None: `muster.toml` in the working directory, if there is one. `document`: what counts in its place.
    """
    environ = os.environ if environ is None else environ
    file = config or Path(environ.get(PREFIX + "CONFIG") or "muster.toml")
    if document is None:
        named = config or (file if environ.get(PREFIX + "CONFIG") else None)
        document, file = read_document(named, ALLOWED)
    asked = flags.get("profile") or environ.get(PREFIX + "PROFILE") or document.get("profile")
    asked = asked or (recorded or {}).get("profile") or None
    chosen = profile_of(document, None if asked is None else str(asked), file)
    kept = {each.name: recorded.get(each.name) or None for each in OPTIONS if each.keeps} if recorded else {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for each in OPTIONS:
        for origin, given in (
            (each.flag, flags.get(each.name)),
            (each.variable, environ.get(each.variable) or None if each.given else None),
            (f"{file} [profile.{asked}]", chosen.get(each.name)),
            (str(file), document.get(each.name)),
            ("the run", kept.get(each.name)),
        ):
            if given is not None:
                values[each.name], origins[each.name] = _parsed(each, given, origin), origin
                break
        else:
            values[each.name], origins[each.name] = each.default, "default"
        if isinstance(values[each.name], Path):
            refuse_unwritable(values[each.name])
    document = document | {
        name: {**document.get(name, {}), **chosen[name]} for name in (*TABLES, *SYSTEMS) if name in chosen
    }
    values["protected"] = any(
        (values["protected"], document.get("protected"), chosen.get("protected"), kept.get("protected") == "true")
    )
    tables = {name: document.get(name) or recorded_table(recorded or {}, name) for name in SYSTEMS}
    own = {each.name: values[each.name] for each in OPTIONS if each.of_a_system and values[each.name] is not None}
    tables[values["system"]] = {**tables[values["system"]], **own}
    told: dict[str, Any] = {name: document.get(name) or recorded_table(recorded or {}, name) for name in TABLES}
    _same_place(values, kept)
    _refuse_shown_password(values["proxy"], origins["proxy"])
    return Settings(**values, file=file if document else None, origins=origins, systems=tables, **told)


def _same_place(values: Mapping[str, Any], kept: Mapping[str, object]) -> None:
    """Raises Unusable when a run would be gone on with at another system or tenant."""
    for name in ("system", "tenant"):
        if kept.get(name) and str(values[name]) != str(kept[name]):
            raise Unusable(f"that run was for {name} {kept[name]}; the settings say {values[name]}")


def _refuse_shown_password(proxy: Proxy | None, origin: str) -> None:
    """Raises Unusable for a password of the proxy that others can read on the command line or in a file of settings."""
    variable = BY_NAME["proxy"].variable
    if proxy is not None and proxy.credentials is not None and origin != variable:
        raise Unusable("the password of the proxy is a secret: its place is the environment", hint=f"set {variable}")


def _parsed(asked: Option, given: Any, origin: str) -> Any:
    text = ("true" if given else "false") if isinstance(given, bool) else str(given)
    if not written_so(text):
        raise Unusable(f"{origin}: {shown(text)[:60]!r} is not UTF-8", hint="give it another name")
    try:
        return asked.parse(text)
    except ValueError as error:
        where = asked.flag if origin == asked.flag else f"{asked.name} ({origin})"
        raise Unusable(f"{where}: {text[:60]!r} is not {error}") from None
