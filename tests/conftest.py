"""What every test needs: signals as a terminal gives them, one sandbox a process, and what saves time."""

import compileall
import gc
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from jobs.sandbox.server import Sandbox
from tests import examples
from tests.few import chosen

if TYPE_CHECKING:
    from tests.postgres import Server

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it puts in the background with SIGINT ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


hypothesis.settings.register_profile("quick", max_examples=examples.QUICK, deadline=None, print_blob=True)
hypothesis.settings.register_profile("thorough", max_examples=examples.THOROUGH, deadline=None, print_blob=True)
hypothesis.settings.load_profile("quick")
"""No deadline: it would be one of the machine's, which may be busy. `make test-all` asks for the thorough profile."""

sys.dont_write_bytecode = False
"""Where bytecode is not kept, each worker would compile every test anew: ten seconds of computing before the first."""


TESTS = Path(__file__).parent

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2 << 30
"""Chosen: a run of all tests leaves a tenth of it."""


def pytest_configure() -> None:
    """Puts the folders of tests into memory where there is enough: a run asks for 28 syncs, which a disk takes ms for.

    Whether what was synced survives a power cut is told from the calls themselves (`tests/processes/crashes.py`).
    """
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where bytecode is not kept, each of a hundred processes would compile all of muster: a quarter of its start."""
    if not hasattr(session.config, "workerinput"):
        for package in ("jobs", "schemas"):
            compileall.compile_dir(Path(__file__).parents[1] / package, quiet=2)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as slow the cases of matrices that the default suite leaves out (`few.py`)."""
    matrices: dict[tuple[Path, str], list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow") is None:
            matrices.setdefault((item.path, getattr(item, "originalname", None) or item.name), []).append(item)
    for (_, name), cases in matrices.items():
        taken = chosen(name, len(cases), cases[0].get_closest_marker("few"))
        for place, item in enumerate(cases):
            if place not in taken:
                item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Thousands of tests and all libraries stay: measured, 8 % of the time went into looking for garbage among them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """As right after its start: no records, no faults, the first settings."""
    running.reset()
    return running


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Server]":
    """A server for all tests of a process; each takes a ledger of its own."""
    from tests.postgres import Server

    with Server.running() as server:
        yield server
