"""Disks that are full, limits that are low, files that go away: a named error, nothing half done, and it goes on."""

import os
import resource
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flow.muster import also, lines, standing, writes
from tests.flow.people import people, written

from .program import (
    PLAIN,
    Program,
    Said,
    arrived,
    ended,
    finished,
    mounted,
    named,
    once_each,
    reported,
    tidy,
    until_sending,
    whole,
)

NAMED = frozenset({2, 3, 4})
"""Codes with which a run may end that could not work: 2 when nothing was sent, 3 later. 70 is muster's own fault."""


def limited(program: Program, kind: int, most: int) -> Said:
    """A run that may not have more than `most` of a resource from its first step on."""
    with program.begun(waiting=True) as running:
        resource.prlimit(running.pid, kind, (most, most))
        running.send_signal(signal.SIGCONT)
        return ended(running)


def honest(program: Program, said: Said) -> None:
    """It did its work, or it says in a sentence why it could not."""
    assert said.code in {0, *NAMED}, said
    if said.code:
        named(said)
    whole(program)


@pytest.mark.few(1)
@pytest.mark.parametrize("most", [16, 128, *also(12, 32, 64)])
def test_few_file_descriptors(program: Program, most: int) -> None:
    said = limited(program, resource.RLIMIT_NOFILE, most)
    honest(program, said)
    finished(program)


@pytest.mark.few(1)
@pytest.mark.parametrize("most", [4_096, 100_000, *also(512, 20_000, 40_000, 70_000, 200_000)])
def test_files_that_may_not_grow(program: Program, most: int) -> None:
    said = limited(program, resource.RLIMIT_FSIZE, most)
    honest(program, said)
    finished(program)


@pytest.mark.few(1)
@pytest.mark.parametrize("kilobytes", [16, 160, *also(4, 40, 80, 120, 240)])
def test_a_ledger_on_a_full_disk(program: Program, kilobytes: int) -> None:
    with mounted(program.folder / "disk", f"size={kilobytes}k") as again:
        arguments = ("run", "customers.csv", "--ledger", "sqlite:///disk/muster.db")
        honest(program, program(*arguments))
        again("size=50m")
        assert program.here(*arguments).code == 0
        once_each(program)
        tidy(program)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [40, 80, *also(4, 16, 60, 100, 140)])
def test_results_on_a_full_disk(program: Program, kilobytes: int) -> None:
    with mounted(program.folder / "runs", f"size={kilobytes}k") as again:
        said = program()
        honest(program, said)
        again("size=50m")
        finished(program)


@pytest.mark.slow
def test_a_ledger_that_is_read_only_is_named_before_anything_is_sent(program: Program) -> None:
    assert program.here("run", "customers.csv", "--limit", "1").code == 3
    (program.folder / "disk").mkdir()
    for name in ("muster.db", "muster.db.key"):
        (program.folder / name).rename(program.folder / "disk" / name)
    sent = len(writes(program.sandbox))
    arguments = ("run", "customers.csv", "--ledger", "sqlite:///disk/muster.db")
    with mounted(program.folder / "disk", "bind,ro", str(program.folder / "disk")):
        said = program(*arguments)
    assert said.code == 2, said
    named(said)
    assert len(writes(program.sandbox)) == sent
    assert program.here(*arguments).code == 0
    once_each(program)


def test_results_that_cannot_be_written_are_named_before_anything_is_sent(program: Program) -> None:
    with mounted(program.folder / "runs", "ro"):
        said = program()
    assert said.code == 2, said
    named(said)
    assert program.sandbox.journal() == []
    finished(program)


@pytest.mark.slow
def test_a_full_device_as_stdout_is_named(program: Program) -> None:
    with Path("/dev/full").open("w") as full:
        said = program(stdout=full)
    assert said.code == 3, said
    named(said)
    reported(program.folders[-1], 3)
    once_each(program)
    tidy(program)


@pytest.mark.slow
@pytest.mark.parametrize("descriptors", [(0, 1, 2), *also((1,), (2,), (1, 2))])
def test_standard_streams_that_are_closed_change_nothing(program: Program, descriptors: tuple[int, ...]) -> None:
    closing = " ".join(f"{number}>&-" for number in descriptors)
    said = program(under=["bash", "-c", f'exec "$@" {closing}', "bash"])
    assert said.code == 0, said
    if 1 not in descriptors:
        assert said.stdout.startswith("Run ")
    once_each(program)
    tidy(program)


@pytest.mark.few(1)
@pytest.mark.parametrize("reader", ["stdout", "stderr"])
def test_a_pipe_without_a_reader_leaves_a_whole_report(program: Program, reader: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    pipe: dict[str, Any] = {reader: writing}
    said = program(**pipe)
    os.close(writing)
    assert said.code in {0, 141}, said
    reported(program.folders[-1], 3)
    once_each(program)
    tidy(program)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"HOME": None, "USER": None, "LOGNAME": None, "PATH": None, "TERM": None, "COLUMNS": "1"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        *also({"TMPDIR": "/nowhere/at/all"}, {"TMPDIR": "/proc"}, {"TZ": "Nowhere/Atall"}),
    ],
    ids=lambda changes: ",".join(changes),
)
def test_an_odd_environment_changes_nothing(program: Program, changes: dict[str, str | None]) -> None:
    written(program.folder / "customers.csv", [program.rows[0] | {"first_name": "Zoë"}, *program.rows[1:]])
    said = program(env=changes, program=PLAIN)
    assert said.code == 0, said
    assert said.stderr == f"muster: calls and credential go to {program.base_url}\n"
    once_each(program)
    tidy(program)


@pytest.mark.parametrize("mask", ["000", *also("022", "077")])
def test_files_are_private_whatever_the_umask(program: Program, mask: str) -> None:
    before = os.umask(int(mask, 8))
    try:
        said = program.here()
    finally:
        os.umask(before)
    assert said.code == 0, said
    ours = [path for path in program.folder.rglob("*") if path.name != "customers.csv"]
    modes = {path.relative_to(program.folder): stat.S_IMODE(path.stat().st_mode) for path in ours}
    assert modes == {name: 0o700 if (program.folder / name).is_dir() else 0o600 for name in modes}
    once_each(program)
    tidy(program)


@pytest.mark.slow
def test_a_system_folder_for_temporary_files_is_not_needed(program: Program) -> None:
    full = 'mount -t tmpfs -o size=4k,ro tmpfs /var/tmp && exec "$@"'
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: a mount namespace needs root")
    said = program(under=["unshare", "-m", "bash", "-c", full, "bash"], env={"TMPDIR": "/var/tmp"})
    assert said.code == 0, said
    once_each(program)
    tidy(program)


def removed(ledger: Path) -> None:
    ledger.unlink()


def removed_with_all(ledger: Path) -> None:
    for path in ledger.parent.glob("muster.db*"):
        path.unlink()


def replaced(ledger: Path) -> None:
    (ledger.parent / "other").write_bytes(b"")
    (ledger.parent / "other").replace(ledger)


@pytest.mark.parametrize("change", [removed, *also(removed_with_all, replaced)])
def test_a_ledger_that_goes_away_stops_the_run_before_its_next_write(
    program: Program, change: Callable[[Path], None]
) -> None:
    program.sandbox.configure(latency_ms=200)
    many = Program.of(program.folder / "many", program.sandbox, people(8))
    with many.begun("run", "customers.csv", "--concurrency", "2") as running:
        until_sending(many, running)
        change(many.ledger)
        gone = time.time()
        said = ended(running)
    late = [entry for entry in writes(many.sandbox) if arrived(entry) > gone]
    assert said.code == 3, said
    named(said)
    assert "nothing is lost" in said.stderr
    reported(many.folders[-1], 8)
    assert len(late) <= 2, late
    many.sandbox.configure(latency_ms=0)
    for path in many.folder.glob("muster.db*"):
        path.unlink()
    again = many.here()
    assert again.code in {0, 1}, again
    assert all(standing(many.sandbox, row["national_id"]).customers == 1 for row in many.rows)
    assert {line["reason_code"] for line in lines(many.folders[-1] / "outcome.csv")} <= {"", "unproven"}


@pytest.mark.slow
def test_a_ledger_whose_mode_changes_does_not_stop_the_run(program: Program) -> None:
    program.sandbox.configure(latency_ms=100)
    with program.begun() as running:
        until_sending(program, running)
        program.ledger.chmod(0o000)
        said = ended(running)
    assert said.code == 0, said
    program.ledger.chmod(0o600)
    program.sandbox.configure(latency_ms=0)
    finished(program)
