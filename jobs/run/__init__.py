"""One run: what it is given and what it holds, what is checked before it sends, how it is stopped."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Run(ModuleType):
    """This package has the name of a function of the library, and is that function too: `from jobs import run`."""

    def __call__(self, *given: Any, **named: Any) -> Any:
        """As `run` of the library."""
        return import_module("jobs.api").run(*given, **named)


sys.modules[__name__].__class__ = _Run
