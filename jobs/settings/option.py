"""One setting: its name, its values, its default. The command line, the environment and the file all come from here.

The settings are declared in `jobs/settings/settings.py`, each once: as a field of `Settings`, made with `option`.
"""

from collections.abc import Callable
from dataclasses import field, fields
from typing import Any, TypeVar

from jobs.value import value

PREFIX = "MUSTER_"

T = TypeVar("T")


@value
class Option:
    """One setting. `default` is what it is when nobody says anything; `metavar` None makes it a switch."""

    name: str
    default: Any
    parse: Callable[[str], Any]
    """The value of a text. Raises ValueError with the words for what is allowed."""
    metavar: str | None
    help: str
    given: bool
    """Whether people may set it; otherwise the command does."""
    kept: bool
    """Whether a run that is gone on with keeps it unless somebody says otherwise: how its file is read, where it is."""
    of_a_system: bool
    """Whether only some systems have it: it stands for the key of that name in the system's table, and is kept."""

    @property
    def keeps(self) -> bool:
        """Whether a run that is gone on with has it from the earlier run."""
        return self.kept or self.of_a_system

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """Its command line flag."""
        return "--" + self.name.replace("_", "-")


def option(
    default: T,
    parse: Callable[[str], T],
    metavar: str | None,
    help: str,  # noqa: A002 - click's word
    *,
    given: bool = True,
    kept: bool = False,
    of_a_system: bool = False,
) -> T:
    """Declares the field of a setting; the arguments are those of `Option`.

    The type checker sees a value of the field's type: `default`, and what `parse` gives, have to be of it.
    """
    metadata = {"parse": parse, "metavar": metavar, "help": help, "given": given, "kept": kept}
    return field(default=default, metadata=metadata | {"of_a_system": of_a_system})


def declared(kind: type[Any]) -> tuple[Option, ...]:
    """The settings that the dataclass `kind` declares, in its order."""
    return tuple(Option(each.name, each.default, **each.metadata) for each in fields(kind) if each.metadata)
