"""The table of one system (`[eclipse]`), as muster.toml has it or as an earlier run wrote it down."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from jobs.errors import Unusable
from jobs.settings.values import suggestion


class _Recorded(str):
    """A setting of a system as an earlier run wrote it down."""

    __slots__ = ()


class _RecordedNumber(int):
    """The same, where it looks like a whole number."""


def recorded_table(recorded: Mapping[str, object], table: str) -> dict[str, Any]:
    """`[table]` as an earlier run was run with it; whole numbers are numbers again."""
    prefix = table + "."
    texts = {name.removeprefix(prefix): str(text) for name, text in recorded.items() if name.startswith(prefix)}
    if table in ("columns", "dates", "values"):
        return texts
    return {
        name: _RecordedNumber(text) if re.fullmatch(r"0|[1-9][0-9]{0,11}", text) else _Recorded(text)
        for name, text in texts.items()
    }


def system_settings(kind: Callable[..., Any], table: Mapping[str, Any], name: str) -> Any:
    """The frozen settings of one system from its table. Raises Unusable for unknown keys and wrong types."""
    fields: dict[str, Any] = getattr(kind, "__dataclass_fields__", {})
    for key in table:
        if key not in fields:
            raise Unusable(f"[{name}]: unknown key {key!r}{suggestion(key, fields)}")
    given = {key: _as_written(value, fields[key].default) for key, value in table.items()}
    for key, value in given.items():
        default = fields[key].default
        expected = (int, str) if default is None else (type(default),)
        if type(value) not in expected:
            names = " or ".join(each.__name__ for each in expected)
            raise Unusable(f"[{name}] {key}: expected {names}, got {type(value).__name__}")
    return kind(**{key: str(value) if fields[key].default is None else value for key, value in given.items()})


def _as_written(value: Any, default: Any) -> Any:
    """A setting of a system as muster.toml had it, whose type is that of `default`; 60 is also a good 60.0."""
    if type(value) is int and isinstance(default, float):
        return float(value)
    if not isinstance(value, _Recorded | _RecordedNumber):
        return value
    if isinstance(default, bool):
        return str(value) == "true"
    if isinstance(default, int | float):
        try:
            return type(default)(value)
        except ValueError:
            return str(value)
    return str(value)
