from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .bench import Bench, Stood, set_up
from .subject import Subject
from .subjects import SUBJECTS


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@contextmanager
def at_the_sandbox(subject: Subject, sandbox: Sandbox, folder: Path) -> Iterator[Bench]:
    """A bench with an empty target."""
    sandbox.reset()
    sandbox.configure(switches={subject.name: subject.switches} if subject.switches else {})
    with set_up(subject, Stood(sandbox, sandbox.of(subject.name)), sandbox, folder) as bench:
        yield bench


@pytest.fixture
def bench(subject: Subject, running: Sandbox, tmp_path: Path) -> Iterator[Bench]:
    with at_the_sandbox(subject, running, tmp_path) as bench:
        yield bench
