"""What each key of a system's table means: the docstring behind its field, as the source has it."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any

from jobs.settings.settings import BY_NAME, Settings
from jobs.systems import adapter
from jobs.value import value


@value
class Key:
    """One key of a system's table, as it stands."""

    name: str
    value: Any
    default: Any
    origin: str
    meaning: str


def meanings(kind: type[Any]) -> Mapping[str, str]:
    """The sentences about each field of the dataclass `kind`, on one line; a field without any is not in it."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def keys_of(settings: Settings) -> list[Key]:
    """Every key of the table of the system that `settings` are for, in its order."""
    module = adapter(settings.job_name.adapter)
    given, told = settings.systems.get(settings.system, {}), meanings(module.SETTINGS)
    found = []
    for each in fields(module.SETTINGS):
        own = each.name in BY_NAME and settings.origins.get(each.name) not in (None, "default")
        origin = settings.origins[each.name] if own else "muster.toml" if each.name in given else "default"
        value = given.get(each.name, each.default)
        found.append(Key(each.name, value, each.default, origin, told.get(each.name, "")))
    return found
