"""muster: onboards customers in bulk and proves what it did.

    file -> preflight, stage -> validate -> onboard -> report -> reconcile

A row is a row of a frame until it is validated, a record with steps until it is settled,
a ledger row for ever, and a row of a frame again in the report. `flow.py` holds the whole job on one page.

For other programs: `from jobs import validate, plan, run, resume, reconcile, open_items`; see `api.py`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobs.api import (
        MusterError,
        OpenItems,
        Plan,
        Progress,
        Summary,
        Validation,
        Watch,
        open_items,
        plan,
        reconcile,
        resume,
        run,
        validate,
    )

__version__ = "0.1.0"

__all__ = (
    "MusterError",
    "OpenItems",
    "Plan",
    "Progress",
    "Summary",
    "Validation",
    "Watch",
    "__version__",
    "open_items",
    "plan",
    "reconcile",
    "resume",
    "run",
    "validate",
)


def __getattr__(name: str) -> Any:
    """The names of the library, loaded when they are asked for: `muster --help` needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("jobs.api"), name)
