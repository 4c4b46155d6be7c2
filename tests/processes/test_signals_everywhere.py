"""Signals at every stage of a run: it ends in time, with the contract's code, and the next run finishes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flow.muster import also, writes
from tests.flow.people import people, written

from .program import PLAIN, Program, Running, ended, finished, reported, tidy, until
from .tracing import needs_strace

IN_TIME = 30.0
"""Seconds for the whole stop: the contract's."""

SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 143}


@dataclass(frozen=True)
class Stage:
    """How a run is brought to a stage, how one sees that it is there, and whether it has sent anything by then."""

    prepare: Callable[[Program], None]
    there: Callable[[Program], bool]
    arguments: tuple[str, ...] = ()
    sent: bool = True


def seen(program: Program, operation: str, times: int = 1) -> bool:
    """Whether the target has seen so many calls of that kind."""
    return [entry["operation"] for entry in program.sandbox.journal()].count(operation) >= times


def many_rows(program: Program) -> None:
    written(program.folder / "customers.csv", people(40_000))


def slow_write(program: Program) -> None:
    program.sandbox.faults([{"operation": "create_customer", "kind": "delay", "params": {"seconds": 1}}])


def stuck(program: Program) -> None:
    rows = [*people(2), *people(1, "Kycstuck", first=3)]
    written(program.folder / "customers.csv", rows)


def slow_reads_at_the_end(program: Program) -> None:
    """The fourth search is the first one of the reconciliation or of nothing; the third wallet is the last write."""
    program.sandbox.faults(
        [{"operation": "create_wallet", "nth": 3, "kind": "delay", "params": {"seconds": 0.2, "when": "after"}}]
    )


def all_wallets(program: Program) -> bool:
    if not seen(program, "create_wallet", 3):
        return False
    program.sandbox.configure(latency_ms=6_000)
    return seen(program, "login", 2)


STAGES = {
    "validating": Stage(
        many_rows, lambda program: bool(list(program.folder.glob("runs/.work-*/*.parquet*"))), sent=False
    ),
    "first write": Stage(slow_write, lambda program: seen(program, "create_customer")),
    "waiting for a decision": Stage(stuck, lambda program: seen(program, "read_kyc", 6), ("--decision-wait", "100")),
    "waiting for a permit": Stage(
        lambda _: None, lambda program: seen(program, "create_customer"), ("--rate", "1/300")
    ),
    "reconciling": Stage(slow_reads_at_the_end, all_wallets),
}


def settled(program: Program, stage: Stage) -> None:
    """The next run finishes what the stopped one left."""
    program.sandbox.faults([])
    program.sandbox.configure(latency_ms=0)
    if stage.prepare is many_rows:
        written(program.folder / "customers.csv", program.rows)
    if stage.prepare is stuck:
        for number in list(program.sandbox.state.customers):
            program.sandbox.amend("customers", number, kyc="PASSED")
        return
    finished(program)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, *also(signal.SIGINT, signal.SIGHUP)], ids=lambda number: number.name
)
@pytest.mark.parametrize("name", list(STAGES))
def test_a_signal_ends_a_run_in_time_and_the_next_one_finishes(
    program: Program, name: str, number: signal.Signals
) -> None:
    stage = STAGES[name]
    stage.prepare(program)
    with program.begun("run", "customers.csv", *stage.arguments) as running:
        until(lambda: stage.there(program), running)
        began = time.monotonic()
        running.send_signal(number)
        said = ended(running)
    assert time.monotonic() - began < IN_TIME
    assert said.code == SIGNALS[number], said
    assert "Traceback" not in said.stderr
    assert "internal error" not in said.stderr
    if stage.sent:
        reported(program.folders[-1], 3)
        assert "muster re" in said.stdout  # resume, or reconcile where only that is left
    else:
        assert program.folders == []
        assert writes(program.sandbox) == []
    tidy(program)
    settled(program, stage)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first write", *also("waiting for a decision", "reconciling")])
def test_a_second_signal_ends_it_at_once(program: Program, name: str) -> None:
    stage = STAGES[name]
    stage.prepare(program)
    if stage.prepare is slow_write:
        program.sandbox.faults(
            [{"operation": "create_customer", "kind": "delay", "params": {"seconds": 600, "when": "after"}}]
        )
    with program.begun("run", "customers.csv", *stage.arguments) as running:
        until(lambda: stage.there(program), running)
        began = time.monotonic()
        running.send_signal(signal.SIGINT)
        time.sleep(1)  # two that come at once are one
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
        said = ended(running)
    assert time.monotonic() - began < IN_TIME, "after so long it would have ended without a second signal"
    assert said.code == 130, said
    reported(program.folders[-1], 3)
    settled(program, stage)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first write", *also("validating", "waiting for a decision", "reconciling")])
def test_a_run_that_was_stopped_for_a_while_goes_on(program: Program, name: str) -> None:
    stage = STAGES[name]
    stage.prepare(program)
    with program.begun("run", "customers.csv", *stage.arguments) as running:
        until(lambda: stage.there(program), running)
        running.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        running.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        running.send_signal(signal.SIGTERM)
        said = ended(running)
    assert said.code in {0, 143}, said
    assert "Traceback" not in said.stderr
    settled(program, stage)


def listens(running: Running) -> bool:
    """Whether muster's own first line was executed: it catches SIGTERM. Until then Python's start is under way."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{running.pid}/status").read_text(), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.few(1)
@pytest.mark.parametrize("after", [0.0, 0.4, *also(0.05, 0.1, 0.2, 0.3)])
def test_ctrl_c_while_it_loads_shows_no_traceback(program: Program, after: float) -> None:
    with program.begun(program=PLAIN) as running:
        until(lambda: listens(running), running)
        time.sleep(after)
        running.send_signal(signal.SIGINT)
        said = ended(running)
    assert said.code in {130, -signal.SIGINT}, said  # the second: Python itself ends so while it loads modules
    assert "Traceback" not in said.stderr, said
    finished(program)


@pytest.mark.slow
def test_a_reader_that_goes_away_costs_nothing(program: Program) -> None:
    command = "PROGRAM run customers.csv 2>errors | head -1; echo ${PIPESTATUS[0]}"
    words = ["bash", "-c", command.replace("PROGRAM", f"{sys.executable} -m jobs")]
    piped = subprocess.run(words, cwd=program.folder, env=program.environment(), capture_output=True, text=True)
    first, status = piped.stdout.splitlines()
    assert first.startswith("Run ")
    assert status in {"0", "141"}
    assert "Traceback" not in (program.folder / "errors").read_text()
    (program.folder / "errors").unlink()
    reported(program.folders[-1], 3)
    finished(program)


@pytest.mark.slow
@needs_strace
@pytest.mark.parametrize(
    "number", [signal.SIGHUP, *also(signal.SIGINT, signal.SIGTERM)], ids=lambda number: number.name
)
def test_a_signal_while_reports_are_written_leaves_a_whole_report(program: Program, number: signal.Signals) -> None:
    slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=100000"]
    with program.begun(under=slow) as running:
        until(lambda: any(program.folder.glob("runs/[!.]*/outcome.parquet")), running)
        os.kill(traced(running), number)
        said = ended(running)
    assert said.code in {0, SIGNALS[number]}, said
    reported(program.folders[-1], 3)
    assert program.here("verify", program.folders[-1].name).code == 0
    finished(program)


def traced(tracer: Running) -> int:
    """The process that a tracer watches."""
    return int(Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()[0])
