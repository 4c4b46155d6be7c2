from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.people import people

from .program import Program


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.faults([])
    running.reset()
    return running


@pytest.fixture
def program(sandbox: Sandbox, tmp_path: Path) -> Program:
    """Three rows that nothing keeps from being onboarded."""
    return Program.of(tmp_path, sandbox, people(3))
