"""The registry: the systems that muster knows, by name. A new one is one line here."""

from jobs.systems.eclipse.system import CAPABILITIES as ECLIPSE

CAPABILITIES = {"eclipse": ECLIPSE}
