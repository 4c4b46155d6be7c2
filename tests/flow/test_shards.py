"""The rows of one run shared out to several processes: killed, frozen, cut off, stopped; none twice, none lost."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.run.engines import Names
from jobs.run.local_engine import LocalEngine
from jobs.sandbox.server import Sandbox
from jobs.settings.as_run import INDEXES
from tests.postgres import Server

from .led import Ask, Led, first_of
from .muster import ONE_OF_EACH, Muster, Started, eventually, standing, writes
from .people import Row, people
from .test_kill import proves_once_each
from .test_limits import most_in_any_window

Filed = Callable[[list[Row]], Path]

long = pytest.mark.slow


def test_a_worker_is_this_muster_whatever_lies_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__main__.py").write_text("raise SystemExit(99)\n")
    monkeypatch.chdir(tmp_path)
    engine = LocalEngine()
    engine.start(Names("run-1", "sqlite:///none.db", "worker-0"))
    ended: dict[str, int] = {}

    def has_ended() -> bool:
        ended.update(engine.ended())
        return bool(ended)

    eventually(has_ended)
    assert ended == {"worker-0": 2}


def test_workers_of_one_machine_share_the_rows_of_a_run(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, quickly: None
) -> None:
    rows = people(20)
    ended = muster("run", file_of([*rows, rows[0]]), "--workers", "2", "--shards", "4", "--canary", "3")

    assert ended.outcomes == ["onboarded"] * 20 + ["quarantined"], "a copy in another shard"
    assert {equation["ok"] for equation in ended.summary["equations"]} == {True}
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 20
    assert ask("SELECT count(*), min(first_row), min(state), max(state) FROM shard") == [(4, 4, "done", "done")]
    assert muster("verify", ended.folder.name).code == 0


def test_a_worker_that_is_killed_is_followed_by_the_next(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led], slowly: None
) -> None:
    rows = people(24)
    run = led(file_of(rows), "--shards", "2", "--concurrency", "4")
    first, second = run.worker(), run.worker()
    eventually(lambda: run.of(first) and run.of(second) and len(writes(sandbox)) > 8)
    first.running.kill()
    third = run.worker("--shard", str(run.of(first)[0][0]))

    assert [muster.wait(each).code for each in (first, second, third)] == [-signal.SIGKILL, 0, 0]
    proves_once_each(sandbox, rows, muster.wait(run.run))


@long
def test_a_worker_that_was_frozen_past_its_lease_sends_and_writes_nothing_more(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led], slowly: None
) -> None:
    rows = people(60)
    run = led(file_of(rows), "--shards", "1", "--concurrency", "4")
    frozen = run.worker()
    eventually(lambda: run.of(frozen) and len(writes(sandbox)) > 8)
    os.kill(frozen.running.pid, signal.SIGSTOP)
    eventually(lambda: not run.of(frozen) or run.of(frozen)[0][1] == "open")
    next_one = run.worker()
    eventually(lambda: run.of(next_one))
    os.kill(frozen.running.pid, signal.SIGCONT)

    assert muster.wait(frozen).code == 6
    assert muster.wait(next_one).code == 0
    proves_once_each(sandbox, rows, muster.wait(run.run))


@long
def test_a_run_whose_leader_is_killed_is_left_by_its_workers_and_resumed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, slowly: None
) -> None:
    rows = people(60)
    run = muster.start("run", file_of(rows), "--workers", "2", "--shards", "6", "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) > 20)
    run.running.kill()
    muster.wait(run)
    resumed = muster("resume", "--workers", "2", "--shards", "6")

    proves_once_each(sandbox, rows, resumed)
    assert ask("SELECT count(*) FROM shard WHERE state = 'taken'") == [(0,)]


@long
def test_a_run_that_is_interrupted_ends_its_workers_and_has_a_line_for_each_row(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, slowly: None
) -> None:
    rows = people(60)
    run = muster.start("run", file_of(rows), "--workers", "2", "--shards", "6", "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) > 20)
    run.running.send_signal(signal.SIGINT)
    stopped = muster.wait(run)

    assert stopped.code == 130
    assert len(stopped.rows) == 60
    assert "in_doubt" not in stopped.counts
    assert {equation["ok"] for equation in stopped.summary["equations"]} == {True}
    proves_once_each(sandbox, rows, muster("resume"))


@long
def test_a_second_signal_ends_a_run_at_once(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, ask: Ask
) -> None:
    rows = people(30)
    sandbox.configure(latency_ms=1500)
    run = muster.start("run", file_of(rows), "--workers", "2", "--shards", "4", "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) > 4)
    run.running.send_signal(signal.SIGTERM)
    eventually(lambda: first_of(ask, "SELECT count(*) FROM run WHERE stop IS NOT NULL"))
    run.running.send_signal(signal.SIGTERM)
    stopped = muster.wait(run)
    sandbox.configure(latency_ms=0)

    assert (stopped.code, len(stopped.rows)) == (143, 30)
    assert {equation["ok"] for equation in stopped.summary["equations"]} == {True}
    proves_once_each(sandbox, rows, muster("resume"))


@long
def test_a_shard_that_kills_its_workers_is_left_and_told(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led], slowly: None
) -> None:
    rows = people(12)
    run = led(file_of(rows), "--shards", "2", "--concurrency", "1")
    for lost in range(4):
        worker = run.worker("--shard", "0")
        eventually(lambda worker=worker: run.of(worker) == [(0, "taken")])
        worker.running.kill()
        muster.wait(worker)
        eventually(lambda lost=lost: ask("SELECT lost FROM shard WHERE shard = 0") == [(lost + 1,)])
    assert muster.wait(run.worker()).code == 0
    ended = muster.wait(run.run)

    assert ended.code == 3
    assert ended.outcomes[6:] == ["onboarded"] * 6
    assert {row["reason_code"] for row in ended.rows[:6] if row["outcome"] == "not_attempted"} == {"worker_died"}
    assert {equation["ok"] for equation in ended.summary["equations"]} == {True}
    proves_once_each(sandbox, rows, muster("resume"))


@long
def test_a_limit_is_kept_exactly_by_all_workers_together(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask
) -> None:
    rows = people(40)
    ended = muster("run", file_of(rows), "--workers", "3", "--shards", "6", "--rate", "20/2")

    proves_once_each(sandbox, rows, ended)
    assert most_in_any_window(sandbox, 2) <= 20
    assert len({row["first_attempt_at"] for row in ended.rows}) > 1


@long
def test_rows_that_wait_for_decisions_hold_no_process(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask
) -> None:
    rows = people(6, "Kycslow")
    patience = ("--decision-poll", "8", "--decision-wait", "60")
    run = muster.start("run", file_of(rows), "--workers", "2", "--shards", "2", *patience)
    parked = "SELECT count(*) FROM shard WHERE state = 'parked'"
    eventually(lambda: first_of(ask, parked) == 2 and not children(run))

    proves_once_each(sandbox, rows, muster.wait(run))


@long
def test_a_decision_that_does_not_come_ends_pending_and_is_resumed_by_workers(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask
) -> None:
    patience = ("--decision-poll", "6", "--decision-wait", "7")
    ended = muster("run", file_of(people(4, "Kycstuck")), "--workers", "2", "--shards", "2", *patience)

    assert (ended.code, ended.counts) == (5, {"pending": 4})
    assert {row["reason_code"] for row in ended.rows} == {"decision"}
    for customer in list(sandbox.state.customers):
        sandbox.amend("customers", customer, kyc="PASSED")
    assert muster("resume", "--workers", "2").counts == {"onboarded": 4}


@long
@pytest.mark.parametrize(
    ("policy", "operation"),
    [
        (("--max-errors", "3"), "create_customer"),
        (("--breaker", "4"), "search_customers"),
        (("--same-cause", "4"), "create_customer"),
    ],
    ids=["max errors", "breaker", "same cause"],
)
def test_a_policy_counts_over_all_workers(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, slowly: None, policy: tuple[str, str], operation: str
) -> None:
    sandbox.faults([{"operation": operation, "kind": "status", "params": {"status": 400}}])
    rows = people(60)
    ended = muster("run", file_of(rows), "--workers", "2", "--shards", "30", "--concurrency", "1", *policy)

    assert ended.code == 3
    assert ended.counts["not_attempted"] > 30
    assert {equation["ok"] for equation in ended.summary["equations"]} == {True}
    assert [note for note in ended.summary["notes"] if policy[0] in note]


@long
def test_a_worker_that_is_told_to_stop_gives_its_shard_back(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led], slowly: None
) -> None:
    rows = people(30)
    run = led(file_of(rows), "--shards", "1", "--concurrency", "4")
    first = run.worker()
    eventually(lambda: run.of(first) and len(writes(sandbox)) > 6)
    first.running.send_signal(signal.SIGTERM)

    assert muster.wait(first).code == 143
    assert ask("SELECT state, lost FROM shard") == [("open", 0)]
    assert muster.wait(run.worker()).code == 0
    proves_once_each(sandbox, rows, muster.wait(run.run))


def test_a_worker_says_why_it_can_not_work(muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = muster("run", file_of(people(2)))
    name = ended.folder.name

    assert (unknown := muster("run-shard", "--run", "nobody")).code == 2
    assert "knows no run" in unknown.stderr
    assert "not shared out" in muster("run-shard", "--run", name).stderr
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    two = muster("run-shard", "--run", name)
    assert two.code == 2
    assert "JOB_COMPLETION_INDEX=1 and SLURM_ARRAY_TASK_ID=2" in two.stderr


@long
def test_an_index_of_a_scheduler_names_the_shard(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led]
) -> None:
    rows = people(8)
    run = led(file_of(rows), "--shards", "2")
    shard = ("run-shard", "--run", run.run_id)
    ends = [muster.process(*shard, env={name: index}) for name, index in zip(INDEXES, ("0", "1", "1"), strict=True)]

    assert [each.code for each in ends] == [0, 0, 0], ends
    assert "shard 0: done: 4 onboarded" in ends[0].stdout
    proves_once_each(sandbox, rows, muster.wait(run.run))
    assert muster("run-shard", "--run", run.run_id, "--shard", "1").code == 0
    assert muster("run-shard", "--run", run.run_id, "--shard", "9").code == 2


@long
def test_a_server_that_crashes_costs_workers_nothing(
    muster: Muster, sandbox: Sandbox, file_of: Filed, postgres: Server, monkeypatch: pytest.MonkeyPatch, slowly: None
) -> None:
    monkeypatch.setenv("MUSTER_LEDGER", postgres.ledger())
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", "k" * 32)
    rows = people(40)
    run = muster.start("run", file_of(rows), "--workers", "2", "--shards", "8", "--concurrency", "4")
    for calls in (6, 30, 70):
        eventually(lambda calls=calls: len(writes(sandbox)) >= calls)
        postgres.crash()

    proves_once_each(sandbox, rows, muster.wait(run))


@long
def test_workers_whose_credential_is_refused_end_the_run_with_4(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, slowly: None
) -> None:
    nth = list(range(2, 40))
    sandbox.faults([{"operation": "login", "kind": "status", "nth": nth, "params": {"status": 401}}])
    ended = muster("run", file_of(people(4)), "--workers", "2", "--shards", "2")

    assert ended.code == 4
    assert ended.counts == {"not_attempted": 4}
    assert "the last one with exit code 4" in ended.summary["stop"]
    assert {row["reason_code"] for row in ended.rows} == {"not_permitted"}


def test_a_worker_without_the_credential_says_what_is_missing_and_ends_a_run_that_nobody_else_works_on(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = led(file_of(people(4)), "--shards", "2")
    monkeypatch.delenv("MUSTER_PASSWORD")
    by_hand = muster("run-shard", "--run", run.run_id)
    assert (by_hand.code, run.run.running.poll()) == (4, None), "a person who forgot it stops nobody"
    assert muster("run-shard", "--run", run.run_id, "--worker", "worker-0").code == 4
    ended = muster.wait(run.run)

    assert "set MUSTER_IDENTITY and MUSTER_PASSWORD" in by_hand.stderr
    assert (ended.code, ended.counts) == (4, {"not_attempted": 4})
    assert "no credential for eclipse" in ended.summary["stop"]
    assert [note for note in ended.summary["notes"] if "set MUSTER_IDENTITY and MUSTER_PASSWORD" in note]


def children(run: Started) -> list[str]:
    """The processes that a run has started and that still work."""
    found = Path(f"/proc/{run.running.pid}/task").glob("*/children")
    pids = [pid for path in found for pid in path.read_text().split()]
    return [pid for pid in pids if "run-shard" in Path(f"/proc/{pid}/cmdline").read_text()]
