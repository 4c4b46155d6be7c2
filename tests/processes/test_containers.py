"""Containers that share ledger and results: who works in one is not taken for dead in another, who died is followed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from jobs.alive import Process
from jobs.sandbox.server import Sandbox
from tests.flow.muster import REPOSITORY, lines
from tests.flow.people import people
from tests.namespaces import pod, within

from .program import Program, Running, Said, ended, finished, once_each, until, until_sending

HERE = os.uname().nodename

TAKE = """
import sys
from datetime import timedelta
from jobs.alive import Pulse
from jobs.clock import Clock
from jobs.ledger import lease
from jobs.ledger.store import Store

class Ahead(Clock):
    def now(self):
        return super().now() + timedelta(minutes=2)

quick = Pulse(beat=0.05, dead=1.0, look=0.4)
with Store.opened(sys.argv[1]) as store:
    with lease.held(store, 1, lease.Owner.me("the next pod"), 0, tell=print, pulse=quick, clock=Ahead()) as mine:
        print(mine.epoch)
"""


@pytest.fixture
def slowly(sandbox: Sandbox, tmp_path: Path) -> Program:
    """A minute's work, which ends at once when the target stops taking its time."""
    sandbox.configure(latency_ms=1_000)
    return Program.of(tmp_path, sandbox, people(12))


WORK = ("run", "customers.csv", "--concurrency", "1")


def killed(running: Running) -> None:
    """The run is gone with its container, as when its memory limit is met."""
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def released(program: Program, running: Running) -> Said:
    """What a run says that may end now."""
    program.sandbox.configure(latency_ms=0)
    return ended(running)


@contextmanager
def number_kept(running: Running) -> Iterator[None]:
    """The next container does not get the number of its pid namespace: then it would know at once that it is dead."""
    kept = os.open(f"/proc/{running.pid}/ns/pid_for_children", os.O_RDONLY)
    try:
        yield
    finally:
        os.close(kept)


@pytest.mark.slow
def test_a_run_in_a_container_is_left_alone_by_all_that_is_done_elsewhere_under_the_same_host_name(
    slowly: Program,
) -> None:
    with slowly.begun(*WORK, under=pod(HERE)) as owner:
        until_sending(slowly, owner)
        rival, valid = slowly.here(), slowly.here("validate", "customers.csv")
        state = json.loads(slowly.here("status", "--output", "json").stdout)["state"]
        said = released(slowly, owner)
    assert (said.code, rival.code, valid.code, state) == (0, 6, 0, "running"), (said, rival, valid)
    assert "in another container of this machine, so that only its heartbeat can tell" in rival.stderr
    assert "--lock-timeout 35" in rival.stderr
    assert {row["outcome"] for row in lines(slowly.folders[0] / "outcome.csv")} == {"onboarded"}
    once_each(slowly)


@pytest.mark.slow
def test_a_run_is_left_alone_by_all_that_is_done_in_a_container(slowly: Program) -> None:
    with slowly.begun(*WORK) as owner:
        until_sending(slowly, owner)
        rival, valid = slowly(under=pod("pod-1")), slowly("validate", "customers.csv", under=pod("pod-1"))
        said = released(slowly, owner)
    assert (said.code, rival.code, valid.code) == (0, 6, 0), (said, rival, valid)
    finished(slowly)


@pytest.mark.slow
def test_the_lease_of_a_pod_that_was_killed_goes_to_the_next_one_under_another_name(slowly: Program) -> None:
    with slowly.begun(*WORK, under=pod("pod-1")) as owner, ExitStack() as stack:
        until_sending(slowly, owner)
        stack.enter_context(number_kept(owner))
        killed(owner)
        refused = slowly(under=pod("pod-2"))
        took = subprocess.run(
            [*pod("pod-2"), sys.executable, "-c", TAKE, f"sqlite:///{slowly.ledger}"],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (refused.code, took.returncode) == (6, 0), (refused, took)
    assert "pid 1 on pod-1" in refused.stderr
    assert "--lock-timeout 35" in refused.stderr
    told, epoch = took.stdout.splitlines()
    assert "watching it" in told
    assert epoch == "2"


def test_a_run_that_was_killed_here_is_followed_at_once_under_any_host_name_and_its_personal_data_are_gone(
    slowly: Program,
) -> None:
    renamed = [*within("--uts"), "sh", "-c", 'hostname "$0" && exec "$@"', "before"]
    with slowly.begun(*WORK, under=renamed) as owner:
        until_sending(slowly, owner)
        killed(owner)
    (left,) = slowly.folder.glob("runs/.work-*")
    assert slowly.here("validate", "customers.csv").code == 0
    assert not left.exists()
    slowly.sandbox.configure(latency_ms=0)
    finished(slowly)


@pytest.fixture
def foreign(program: Program) -> Path:
    """What a run left that died before this machine was started again."""
    folder = program.folder / "runs" / f".work-{Process(1, 1, '', None, None).tag}_0a1b2c3d"
    folder.mkdir(parents=True)
    (folder / "rows").write_text("personal")
    return folder


@pytest.mark.slow
def test_a_run_that_stays_to_see_whether_a_workspace_is_left_still_hears_a_signal(
    program: Program, foreign: Path
) -> None:
    with program.begun() as staying:
        until(lambda: any((folder / "manifest.json").exists() for folder in program.folders), staying)
        assert staying.stderr is not None
        while "watching for up to 120 s whether anybody works there" not in staying.stderr.readline():
            pass
        os.killpg(staying.pid, signal.SIGTERM)
        assert ended(staying).code == 0
    assert foreign.exists()
    once_each(program)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_personal_data_that_nobody_can_judge_are_gone_after_the_next_run(program: Program, foreign: Path) -> None:
    with program.begun() as staying:
        assert ended(staying, 240).code == 0
    assert not foreign.exists()
