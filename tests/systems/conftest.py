"""The fixtures of whole runs against Eclipse of the sandbox; a system of its own has others in its own module."""

from tests.flow.conftest import file_of, hasty, later, muster, running, sandbox

__all__ = ["file_of", "hasty", "later", "muster", "running", "sandbox"]
