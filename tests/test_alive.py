"""Whether a process lives: the kernel is asked where its pid counts, else nothing is said; hearts that are watched."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from namespaces import pod, within

from jobs.alive import Process, Pulse, Watch, beating
from jobs.clock import Clock

REPOSITORY = Path(__file__).resolve().parents[1]

ASK = "import sys; from jobs.alive import Process; print(Process.tagged(sys.argv[1]).lives())"
TELL = "from jobs.alive import Process; print(Process.me().tag, flush=True); input()"


def said(code: str, *arguments: str, under: Sequence[str] = ()) -> str:
    """What a Python program prints."""
    words = [*under, sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def living(under: Sequence[str] = ()) -> Iterator[Process]:
    """A process that waits, as it knows itself."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    words = [*under, sys.executable, "-c", TELL]
    with subprocess.Popen(
        words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        found = Process.tagged(child.stdout.readline().strip())
        assert found is not None
        try:
            yield found
        finally:
            os.killpg(child.pid, 9)


def test_this_process_lives_and_can_tell_where_it_is() -> None:
    me = Process.me()

    assert me.lives() is True
    assert me.pid == os.getpid()
    assert me.started > 0
    assert me.boot
    assert me.namespace


def test_a_process_that_was_killed_is_dead_before_anybody_waited_for_it() -> None:
    with living() as child:
        assert child.lives() is True
        os.kill(child.pid, 9)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now, and stays one
        assert child.lives() is False
    assert child.lives() is False


def test_a_pid_that_was_given_again_is_not_taken_for_the_process_that_had_it() -> None:
    me = Process.me()

    assert replace(me, started=me.started - 1).lives() is False


def test_a_pid_without_a_start_mark_tells_nothing_while_somebody_has_it() -> None:
    assert replace(Process.me(), started=0).lives() is None
    assert replace(Process.me(), pid=2**22 + 1, started=0).lives() is False


@pytest.mark.parametrize("unknown", [{"boot": None}, {"namespace": None}, {"boot": None, "namespace": None}])
@pytest.mark.parametrize("pid", [os.getpid(), 2**22 + 1], ids=["a living one", "one that nobody has"])
def test_nothing_is_said_of_a_pid_of_which_boot_or_namespace_is_not_known(unknown: dict[str, None], pid: int) -> None:
    assert replace(Process.me(), pid=pid, **unknown).lives() is None


def test_nothing_is_said_of_a_pid_of_another_boot() -> None:
    other = replace(Process.me(), boot="00000000-0000-4000-8000-000000000000")

    assert other.lives() is None
    assert "same name, or on this one before" in other.whereabouts()
    assert replace(other, host="elsewhere").whereabouts() == "on another host"


def test_nothing_is_said_of_a_process_in_another_container_nor_from_there() -> None:
    with living(pod("other")) as inside:
        assert inside.pid == 1
        assert inside.lives() is None
        assert inside.whereabouts() == "in another container of this machine"
    assert said(ASK, Process.me().tag, under=pod("other")) == "None"


def test_processes_of_one_container_know_of_each_other() -> None:
    code = (
        "import subprocess, sys; from jobs.alive import Process\n"
        f"print(subprocess.check_output([sys.executable, '-c', {ASK!r}, Process.me().tag], text=True).strip())"
    )
    assert said(code, under=pod("other")) == "True"


def test_another_host_name_of_the_same_machine_does_not_matter() -> None:
    renamed = [*within("--uts"), "sh", "-c", 'hostname "$0" && exec "$@"', "renamed"]

    assert said(ASK, Process.me().tag, under=renamed) == "True"
    with living() as child:
        pass
    assert said(ASK, child.tag, under=renamed) == "False"


def test_the_container_around_has_other_pids_and_its_proc_is_not_believed() -> None:
    """`/proc` of the outer namespace: there process 1 is another one."""
    code = (
        "from dataclasses import replace; from jobs.alive import Process; me = Process.me()\n"
        "print(me.pid, me.started > 0, me.lives(), replace(me, pid=4194305).lives())"
    )
    assert said(code, under=within("--pid", "--fork")) == "1 True None False"


def test_start_marks_of_another_time_namespace_are_not_compared() -> None:
    assert said(ASK, Process.me().tag, under=within("--time", "--boottime", "100000", "--fork")) == "None"


@pytest.mark.skipif(os.geteuid() != 0, reason="not tested here: only root may look as another user")
def test_a_process_that_is_hidden_from_this_user_is_not_dead() -> None:
    hiding = [*within("--mount"), "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"']
    code = (
        "import os, sys; from jobs.alive import Process; process = Process.tagged(sys.argv[1])\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(os.path.exists(f'/proc/{process.pid}'), process.lives())"
    )

    assert said(code, Process.me().tag, under=hiding) == "False None"


def test_without_proc_nothing_is_said_of_anybody() -> None:
    bare = [*within("--mount"), "sh", "-c", 'mount -t tmpfs none /proc && exec "$0" "$@"']
    code = "from jobs.alive import Process; me = Process.me(); print(me.boot, me.namespace, me.lives())"

    assert said(code, under=bare) == "None None None"


def test_a_tag_names_a_process_in_a_file_name() -> None:
    me = Process.me()
    unknown = Process(7, 0, "", None, None)

    assert replace(me, host="") == Process.tagged(me.tag)
    assert unknown == Process.tagged(unknown.tag)
    assert "/" not in me.tag
    for text in ("", "12-34", "1_2_3", f"{me.tag}_1", "x_1.2_3_4"):
        assert Process.tagged(text) is None


class Hands(Clock):
    """A clock that moves when it is told to."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


def test_what_did_not_move_while_it_was_watched_is_dead_and_what_moves_is_not() -> None:
    clock = Hands()
    still, moving = (Watch(Pulse(5, 30, 1), clock) for _ in range(2))
    for second in range(30):
        clock.at = second
        still.saw("the same")
        moving.saw(second // 5)
        assert not still.dead
        assert not moving.dead
    clock.at = 30
    still.saw("the same")

    assert (still.dead, still.moved) == (True, False)
    assert (moving.dead, moving.moved, moving.watched) == (False, True, 29)


def test_who_was_frozen_has_seen_nothing_meanwhile() -> None:
    clock = Hands()
    watch = Watch(Pulse(5, 30, 1), clock)
    watch.saw("the same")
    clock.at = 3600.0
    watch.saw("the same")

    assert (watch.silent, watch.dead) == (2.0, False)


def test_time_in_which_no_beat_could_be_made_does_not_count() -> None:
    clock = Hands()
    watch = Watch(Pulse(5, 30, 1), clock)
    for second in range(100):
        clock.at = second
        if second % 2:
            watch.saw_nothing()
        else:
            watch.saw("the same")

    assert watch.silent == 0


def test_a_heart_beats_on_after_any_error_and_ends_with_its_block_at_once() -> None:
    beats, enough = [], threading.Event()

    def beat() -> bool:
        beats.append(threading.current_thread().name)
        if len(beats) == 3:
            enough.set()
        raise MemoryError if len(beats) == 1 else ZeroDivisionError

    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with beating(beat, 0.01):
        assert enough.wait(20)
    with beating(beat, 3600):
        pass

    assert set(beats) == {"heartbeat"}
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_a_heart_that_is_not_needed_any_more_stops() -> None:
    beats = []

    def beat() -> bool:
        beats.append(1)
        return len(beats) < 3

    with beating(beat, 0.01):
        (heart,) = [thread for thread in threading.enumerate() if thread.name == "heartbeat"]
        heart.join(20)

    assert len(beats) == 3
