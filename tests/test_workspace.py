"""Personal data on the way: gone with the command, swept after the dead, and never taken from the living."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from namespaces import pod

from jobs.alive import Process, Pulse
from jobs.clock import Clock
from jobs.intake.workspace import LEFT_SECONDS, PREFIX, workspace

REPOSITORY = Path(__file__).resolve().parents[1]

QUICK = Pulse(beat=0.05, dead=1.0, look=0.4)
"""Only to watch the dead: on a busy machine a living one may be as silent."""

SLOW = Pulse(beat=0.05, dead=3600.0, look=0.4)
"""Nobody is dead before a test ends; a beat is seen soon."""

WORK = """
import sys
from pathlib import Path
from jobs.alive import Pulse
from jobs.clock import Clock
from jobs.intake.workspace import workspace
with workspace(Path(sys.argv[1]), Clock(), pulse=Pulse(beat=0.05, dead=3600, look=0.4)) as work:
    (work / "rows").write_text("personal")
    print(work.name, flush=True)
    input()
"""

ELSEWHERE = replace(Process.me(), namespace="1.2")


@contextmanager
def working(out: Path, under: Sequence[str] = ()) -> Iterator[tuple[Path, "subprocess.Popen[str]"]]:
    """A command at work in a folder below `out`."""
    words = [*under, sys.executable, "-c", WORK, str(out)]
    with subprocess.Popen(
        words,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        folder = out / child.stdout.readline().strip()
        try:
            yield folder, child
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)


def left_by(process: Process, out: Path) -> Path:
    """The workspace of a command that died."""
    folder = out / f"{PREFIX}{process.tag}_0a1b2c3d"
    folder.mkdir(mode=0o700, parents=True)
    (folder / "beat").write_bytes(b"1\n")
    (folder / "rows").write_text("personal")
    return folder


def test_a_workspace_is_private_and_gone_at_its_end_with_all_that_was_made_for_it(tmp_path: Path) -> None:
    with workspace(tmp_path / "a" / "runs", Clock()) as work:
        assert work.stat().st_mode & 0o777 == 0o700
        assert Process.me().tag in work.name

    assert not (tmp_path / "a" / "runs").exists()


def test_a_killed_command_of_this_machine_is_swept_after_by_the_next_one_at_once(tmp_path: Path) -> None:
    with working(tmp_path) as (folder, child):
        child.kill()
        child.wait()
        assert (folder / "rows").exists()
    with workspace(tmp_path, Clock()):
        assert not folder.exists()


def test_a_command_at_work_is_left_alone_by_the_next_one(tmp_path: Path) -> None:
    with working(tmp_path) as (folder, _), workspace(tmp_path, Clock(), pulse=SLOW, stays=lambda: True):
        assert (folder / "rows").exists()


def test_a_command_at_work_in_another_container_is_left_alone_both_ways(tmp_path: Path) -> None:
    with working(tmp_path, pod("other")) as (inside, _), working(tmp_path) as (outside, _):
        assert (inside / "rows").exists()
        with workspace(tmp_path, Clock(), pulse=SLOW, stays=lambda: True):  # until it was seen to beat
            pass
        assert (inside / "rows").exists()
        with working(tmp_path, pod("third")):
            assert (inside / "rows").exists()
            assert (outside / "rows").exists()


def test_a_command_that_was_killed_in_another_container_is_swept_after_by_who_stays_to_watch(tmp_path: Path) -> None:
    told: list[str] = []
    with working(tmp_path, pod("other")) as (folder, child):
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        with workspace(tmp_path, Clock()):
            pass
        assert (folder / "rows").exists(), "nobody knew that it was dead"
        with workspace(tmp_path, Clock(), pulse=QUICK, stays=lambda: True, tell=told.append):
            pass
        assert not folder.exists()
    (sentence,) = told
    assert folder.name in sentence
    assert "personal" not in sentence


@pytest.mark.parametrize(
    "process",
    [
        ELSEWHERE,
        replace(ELSEWHERE, boot="00000000-0000-4000-8000-000000000000"),
        replace(ELSEWHERE, boot=None, namespace=None),
    ],
    ids=["container", "host or restart", "unknown"],
)
def test_what_nobody_can_judge_is_swept_in_the_middle_of_a_command_that_lasts(tmp_path: Path, process: Process) -> None:
    folder = left_by(process, tmp_path)
    with workspace(tmp_path, Clock(), pulse=QUICK):
        while folder.exists():  # the test's own time-out ends this
            time.sleep(0.01)


def test_who_is_told_to_end_stops_watching(tmp_path: Path) -> None:
    folder = left_by(ELSEWHERE, tmp_path)
    answers = iter([True, True, False])

    with workspace(tmp_path, Clock(), pulse=replace(SLOW, look=0.05), stays=lambda: next(answers)):
        pass

    assert folder.exists()
    assert next(answers, None) is None


def test_a_block_that_fails_ends_at_once(tmp_path: Path) -> None:
    folder = left_by(ELSEWHERE, tmp_path)

    with pytest.raises(ZeroDivisionError), workspace(tmp_path, Clock(), pulse=SLOW, stays=lambda: True):
        raise ZeroDivisionError

    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_command_that_died_before_its_first_beat_is_swept_after_too(tmp_path: Path) -> None:
    folder = left_by(ELSEWHERE, tmp_path)
    (folder / "beat").unlink()

    with workspace(tmp_path, Clock(), pulse=QUICK, stays=lambda: True):
        pass

    assert not folder.exists()


@pytest.mark.parametrize(("age", "swept"), [(0, False), (LEFT_SECONDS - 3600, False), (LEFT_SECONDS + 3600, True)])
def test_a_folder_of_an_older_muster_goes_when_nothing_in_it_changed_for_a_week(
    tmp_path: Path, age: float, swept: bool
) -> None:
    folder = tmp_path / f"{PREFIX}4194305-12345"
    folder.mkdir()
    (folder / "rows").write_text("personal")
    for path in (folder / "rows", folder):
        then = path.stat().st_mtime - age
        os.utime(path, (then, then))

    with workspace(tmp_path, Clock(), pulse=QUICK, stays=lambda: True):
        pass

    assert folder.exists() is not swept


def test_a_folder_of_an_older_muster_that_works_here_is_left_alone(tmp_path: Path) -> None:
    me = Process.me()
    folder = tmp_path / f"{PREFIX}{me.pid}-{me.started}"
    folder.mkdir()
    os.utime(folder, (1, 1))

    with workspace(tmp_path, Clock()):
        pass

    assert folder.exists()


def test_what_is_not_a_workspace_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"{PREFIX}notes").mkdir()
    dead = replace(Process.me(), pid=2**22 + 1)
    (tmp_path / f"{PREFIX}{dead.tag}_00000000").symlink_to(tmp_path / "elsewhere")
    before = sorted(path.name for path in tmp_path.iterdir())

    with workspace(tmp_path, Clock()):
        pass

    assert sorted(path.name for path in tmp_path.iterdir()) == before
