from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.conftest import hasty
from tests.flow.people import people

from .program import Program

__all__ = ["hasty", "program"]


@pytest.fixture
def program(sandbox: Sandbox, tmp_path: Path) -> Program:
    """Three rows that nothing keeps from being onboarded."""
    return Program.of(tmp_path, sandbox, people(3))
