"""`muster sandbox` as a process: what it prints, and how it ends."""

import os
import signal
import subprocess

import httpx
import pytest

from jobs.sandbox.server import SYSTEMS
from tests.forked import Forked


def printed(lines: int, *options: str) -> list[list[str]]:
    """The first `lines` as name and URL, each of which answers; then the process is asked to end and does, with 0."""
    pipe = subprocess.PIPE
    with Forked(["sandbox", "--port", "0", *options], os.environ, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().split() for _ in range(lines)]
        answers = [httpx.get(f"{url}/", trust_env=False).status_code for _, url in told]
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert max(answers) < 500
    return told


def test_each_system_has_a_line_and_the_first_is_eclipse() -> None:
    told = printed(len(SYSTEMS))
    root = told[0][1]
    assert SYSTEMS[0] == "eclipse"
    assert told == [["eclipse", root], *([name, f"{root}/{name}"] for name in SYSTEMS[1:])]


@pytest.mark.parametrize("system", ["eclipse", "azakaw"])
def test_one_system_s_line_can_be_asked_for(system: str) -> None:
    assert [name for name, _ in printed(1, "--system", system)] == [system]
