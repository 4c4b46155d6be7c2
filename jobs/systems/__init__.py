"""The registry: the systems that muster knows, and the module of each. A new one is one line here."""

from importlib import import_module
from typing import cast

from jobs.systems.contract import Adapter, Capabilities

SYSTEMS = {
    "eclipse": "jobs.systems.eclipse.system",
    "omnumi": "jobs.systems.omnumi.system",
    "banklingo": "jobs.systems.banklingo.system",
    "azakaw": "jobs.systems.azakaw.system",
    "blink": "jobs.systems.blink.system",
}
"""By the name that `--system` takes. Modules are imported when they are used."""

DEFAULT = "eclipse"
"""The system of whoever names none."""

JOBS: dict[str, str] = {
    "banklingo:decide": "jobs.systems.banklingo.decide",
    "eclipse:registration": "jobs.systems.eclipse.registration",
    "eclipse:portal-users": "jobs.systems.eclipse.portal_users",
}
"""Jobs of a system beside the onboarding of customers, by the adapter's name in `JobName`."""


def adapter(name: str) -> Adapter:
    """The module of `name`, which is that of a system or of one of its jobs. Raises KeyError."""
    return cast("Adapter", import_module((SYSTEMS | JOBS)[name]))


def capabilities(name: str) -> Capabilities:
    """What `name` can do. Raises KeyError."""
    return adapter(name).CAPABILITIES
