"""The keys of a run's rows."""

from jobs.keys import KeySpace
from jobs.settings.settings import Settings


def keys_of(settings: Settings) -> KeySpace:
    """The keys of the configured (system, tenant); an unset tenant gives keys that are never sent."""
    return KeySpace.of(settings.job_name.key_system, settings.tenant or "")
