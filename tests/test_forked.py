"""A process that is forked from a loaded one is what a process that Python started would be."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from jobs.alive import Process
from tests.forked import Forked

PIPE = subprocess.PIPE
GOOD = "first_name,last_name,phone,email,national_id\nThandi,Nkosi,0821234567,thandi@example.com,9001015009086\n"


def test_it_says_and_ends_as_a_started_one(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(GOOD)
    command, variables = ["validate", "in.csv"], {**os.environ, "MUSTER_OUTPUT": "json"}
    forked = Forked(command, variables, cwd=tmp_path, stdout=PIPE, stderr=PIPE)
    said = forked.communicate(timeout=60)
    started = subprocess.run(
        [sys.executable, "-m", "jobs", *command],
        cwd=tmp_path,
        env={**variables, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (forked.returncode, *said) == (0, started.stdout, started.stderr)


def test_it_is_a_child_of_ours_with_a_start_mark_of_its_own_and_can_be_killed() -> None:
    with Forked(["sandbox", "--port", "0"], os.environ, stdout=PIPE, stderr=PIPE, start_new_session=True) as forked:
        assert forked.stdout is not None
        assert forked.stdout.readline().startswith("eclipse")
        stat = Path(f"/proc/{forked.pid}/stat").read_text().rpartition(")")[2].split()
        assert (int(stat[1]), int(stat[3])) == (os.getpid(), forked.pid)
        assert int(stat[19]) > Process.me().started
        os.killpg(forked.pid, signal.SIGKILL)
        assert forked.wait(60) == -signal.SIGKILL
