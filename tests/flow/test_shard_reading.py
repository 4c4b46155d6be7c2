"""The fresh read of a shard by its worker: the leader takes it, and a successor makes it where its worker died."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .led import Ask, Led
from .muster import Muster, eventually, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]

READ = "SELECT shard, lines FROM reading ORDER BY shard"


def test_what_a_worker_read_is_what_the_run_reports(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led]
) -> None:
    rows = people(9)
    run = led(file_of([*rows[:3], rows[0], *rows[3:]]), "--shards", "2", "--canary", "2")
    assert muster("run-shard", "--run", run.run_id, "--shard", "0").code == 0
    [(number, lines)] = ask(READ)
    for customer in list(sandbox.state.customers):  # after it was read: whoever reads it now sees another name
        sandbox.amend("customers", customer, firstName="Changed")
    assert muster("run-shard", "--run", run.run_id, "--shard", "1").code == 0
    ended = muster.wait(run.run)

    assert number == 0
    assert json.loads(lines)["class"] == ["match", "not_sent", "match", "match"]
    assert not [row for row in rows if row["national_id"] in lines or row["phone"] in lines or row["email"] in lines]
    assert ended.outcomes == ["onboarded"] * 3 + ["quarantined"] + ["onboarded"] * 6
    assert [(line["source_row"], line["class"]) for line in ended.reconciliation] == [
        ("1", "field_difference"),  # of the canary: nobody's shard, so that the leader read it, last
        ("2", "field_difference"),
        *((str(row), "not_sent" if row == 4 else "match") for row in range(3, 11)),
    ]
    assert {equation["ok"] for equation in ended.summary["equations"]} == {True}
    assert ask(READ) == [], "it goes once it is reported"


@pytest.mark.slow
def test_a_shard_whose_worker_died_before_it_was_read_is_read_by_the_next_one(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led]
) -> None:
    rows = people(6)
    run = led(file_of(rows), "--shards", "2")
    later = list(range(2, 500))  # logins: the first is the sender's, the others are the reader's
    sandbox.faults([{"operation": "login", "kind": "status", "nth": later, "params": {"status": 503}}])
    first = run.worker("--shard", "0")
    ended = f"SELECT count(*) FROM outcome JOIN run ON run_no = outcome.run_id WHERE run.run_id = '{run.run_id}'"
    eventually(lambda: ask(ended) == [(3,)] and run.of(first) == [(0, "taken")])
    sent = len(writes(sandbox))
    first.running.kill()
    muster.wait(first)
    sandbox.faults([])
    assert ask(READ) == []
    assert muster.wait(run.worker("--shard", "0")).code == 0

    assert len(writes(sandbox)) == sent
    [(_, lines)] = ask(READ)
    assert json.loads(lines)["class"] == ["match"] * 3
    assert muster.wait(run.worker()).code == 0
    proves_once_each(sandbox, rows, muster.wait(run.run))


@pytest.mark.slow
def test_a_worker_that_may_not_read_leaves_it_to_the_leader(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ask: Ask, led: Callable[..., Led]
) -> None:
    rows = people(6)
    run = led(file_of(rows), "--shards", "2")
    sandbox.faults([{"operation": "login", "kind": "status", "nth": 2, "params": {"status": 401}}])
    assert muster.wait(run.worker()).code == 0
    ended = muster.wait(run.run)

    proves_once_each(sandbox, rows, ended)
    assert [line["class"] for line in ended.reconciliation] == ["match"] * 6
