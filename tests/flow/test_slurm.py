"""The array job of deploy/slurm, as Slurm starts it: bash, with a number for each of its jobs."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import REPOSITORY, Ended, Muster, eventually, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]
Begin = Callable[..., "subprocess.Popen[bytes]"]

SCRIPT = REPOSITORY / "deploy" / "slurm" / "muster.sh"


@pytest.fixture
def begin(muster: Muster) -> Iterator[Begin]:
    """Begins one job of an array of a leader and three shards; what it asks of Slurm goes to requeued.txt."""
    programs = muster.folder / "bin"
    programs.mkdir()
    (programs / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {muster.folder}/requeued.txt\n', encoding="utf-8")
    (programs / "muster").write_text(f'#!/bin/sh\nexec {sys.executable} -m jobs "$@"\n', encoding="utf-8")
    for program in programs.iterdir():
        program.chmod(0o755)
    begun: list[subprocess.Popen[bytes]] = []
    given = {"MUSTER_RUN": "tonight", "MUSTER_LEDGER": "sqlite:///muster.db", "MUSTER_LOOK": "0.2"}
    given |= {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_MAX": "3", "PYTHONPATH": str(REPOSITORY)}
    given["PATH"] = f"{programs}:{os.environ['PATH']}"

    def one(number: int) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, **given, "SLURM_ARRAY_TASK_ID": str(number)}
        with (muster.folder / "slurm.log").open("a") as log:
            job = subprocess.Popen(["bash", SCRIPT, "customers.csv"], env=environment, cwd=muster.folder, stderr=log)
        begun.append(job)
        return job

    yield one
    for job in begun:
        job.terminate()
        job.wait(60)


@pytest.mark.slow
def test_one_job_leads_and_the_others_work(muster: Muster, sandbox: Sandbox, file_of: Filed, begin: Begin) -> None:
    rows = people(24)
    file_of(rows)
    jobs = [begin(number) for number in range(4)]

    codes = [job.wait(200) for job in jobs]
    assert codes == [0, 0, 0, 0], (muster.folder / "slurm.log").read_text(encoding="utf-8")
    ended = Ended(0, "", "", muster.folder / "runs" / "tonight")
    proves_once_each(sandbox, rows, ended)


@pytest.mark.slow
def test_a_job_whose_time_is_over_is_queued_again(
    muster: Muster, sandbox: Sandbox, file_of: Filed, begin: Begin
) -> None:
    rows = people(60)
    file_of(rows)
    sandbox.configure(latency_ms=200)
    begin(0)
    first = begin(1)
    eventually(lambda: len(writes(sandbox)) > 5, 120)
    first.send_signal(signal.SIGTERM)

    assert first.wait(60) == 0
    assert (muster.folder / "requeued.txt").read_text(encoding="utf-8") == "requeue 7_1\n"
