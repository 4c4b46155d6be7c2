"""A run that is cut, or fails, at any system call: nothing is lost, nothing is done twice, no file is torn."""

import random
from collections.abc import Sequence

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.people import people

from .program import Program, finished, named, told, whole
from .tracing import CALLS, Point, needs_strace, points, recording

pytestmark = needs_strace

KILL = "signal=SIGKILL"
FAULTS = {
    "pwrite64": ("error=ENOSPC", "error=EIO"),
    "fdatasync": ("error=EIO",),
    "fsync": ("error=EIO", "error=ENOSPC"),
    "rename": ("error=EIO", "error=ENOSPC"),
    "openat": ("error=EMFILE", "error=EIO"),
    "read": ("error=EIO", "error=ECONNRESET"),
    "mkdir": ("error=ENOSPC",),
    "ftruncate": ("error=EIO",),
}
"""`write` is left out: the same call wakes threads through eventfds, which can't fail that way. Full disks and broken
connections are made for real elsewhere."""

SAMPLES = 4
"""Points of a call in the default run, of which the first that is reached counts (chosen: a case takes seconds)."""

QUICK = ("pwrite64", "rename", "write")
"""System calls of the default run: one of the ledger, one of the files, one of the network."""

ALLOWED = frozenset({0, 1, 2, 3, 4, 5})
"""The contract's codes for a run that no signal ended and that had no rival. 7 would be books that do not balance, 70 a
defect of muster."""

ABORTED = -6
"""The loop's own library ends the process when its eventfd can't be read, which only an injected fault does."""

Census = dict[str, list[Point]]


@pytest.fixture(scope="module")
def census(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Census:
    """The points of an uncut run."""
    running.reset()
    folder = tmp_path_factory.mktemp("census")
    program = Program.of(folder / "run", running, people(3))
    said = program(under=recording(folder / "calls.log"))
    assert said.code == 0, said
    return points(folder / "calls.log", program.folder)


def sampled(listed: Sequence[Point], seed: str, count: int = SAMPLES) -> list[Point]:
    """Some of them, the same ones for the same seed."""
    return random.Random(seed).sample(listed, min(count, len(listed)))


def cut(program: Program, point: Point) -> bool:
    """A run that is killed at `point`, and another one that finishes; whether the first one came to that point."""
    said = program(under=point.under(KILL))
    assert said.code in {-9, 137, 0}, said
    whole(program)
    finished(program)
    return said.code != 0


def cuts(program: Program, listed: Sequence[Point]) -> None:
    """`cut` at each point. Threads share their work differently each time, so that a few points are never reached."""
    reached = 0
    for number, point in enumerate(listed):
        with told(f"killed at {point}"):
            reached += cut(fresh(program, number), point)
    assert reached > len(listed) / 2, f"only {reached} of {len(listed)} runs were killed"


def failing(program: Program, point: Point, fault: str) -> None:
    """A run in which `point` fails, and another one that finishes."""
    said = program(under=point.under(fault))
    aborted = point.call == "read" and said.code == ABORTED
    assert said.code in ALLOWED or aborted, f"{point} {fault}: {said}"
    if said.code in {2, 4}:
        named(said)
    whole(program)
    finished(program)


def fresh(program: Program, number: int) -> Program:
    """The same rows in another folder, and an empty target."""
    program.sandbox.reset()
    return Program.of(program.folder / f"n{number}", program.sandbox, program.rows)


@pytest.mark.few(1)
@pytest.mark.parametrize("call", QUICK)
def test_a_run_killed_at_a_system_call_is_finished_by_the_next(program: Program, census: Census, call: str) -> None:
    for number, point in enumerate(sampled(census[call], f"kill {call}")):
        with told(f"killed at {point}"):
            if cut(fresh(program, number), point):
                return
    pytest.fail("no run came to where it was to be killed")


@pytest.mark.slow
@pytest.mark.parametrize(("call", "fault"), [(call, FAULTS[call][0]) for call in ("pwrite64", "read")])
def test_a_system_call_that_fails_is_named_and_costs_nothing(
    program: Program, census: Census, call: str, fault: str
) -> None:
    for number, point in enumerate(sampled(census[call], f"{fault} {call}", 1)):
        with told(f"{fault} at {point}"):
            failing(fresh(program, number), point, fault)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("call", CALLS)
def test_a_run_killed_at_any_system_call_is_finished_by_the_next(program: Program, census: Census, call: str) -> None:
    cuts(program, census[call])


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("call", "fault"), [(call, fault) for call, faults in FAULTS.items() for fault in faults])
def test_any_system_call_that_fails_is_named_and_costs_nothing(
    program: Program, census: Census, call: str, fault: str
) -> None:
    for number, point in enumerate(census[call]):
        with told(f"{fault} at {point}"):
            failing(fresh(program, number), point, fault)
