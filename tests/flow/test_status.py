"""Where a run stands: from the same terminal, from another one, and while it works."""

import json
import os
import signal
import time

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Muster
from .people import people
from .test_report import Filed


def test_a_run_can_be_watched_from_elsewhere_until_it_ends(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.configure(latency_ms=150)
    started = muster.start("run", file_of(people(40)), "--run-id", "run-1", "--concurrency", "2")
    while not sandbox.state.customers:
        assert started.running.poll() is None
        time.sleep(0.05)
    seen = json.loads(muster("status", "--output", "json").stdout)
    os.kill(started.running.pid, signal.SIGINT)
    watched = muster("status", "run-1", "--watch")
    ended = muster.wait(started)

    assert seen["state"] == "running"
    assert seen["going_on"]["calls_last_minute"] >= 1
    assert seen["rows_left"] > 0
    assert "last minute: " in watched.stdout
    assert "ended " in watched.stdout.splitlines()[-1] + watched.stdout
    assert watched.code == 0
    assert ended.code == 130
    assert "stopping, " in ended.stderr


def test_what_has_ended_is_shown_once(muster: Muster, file_of: Filed) -> None:
    muster("run", file_of(people(2)))

    assert muster("status", "--watch").stdout == muster("status").stdout
    story = muster("status", "run-1", "--row", "2").stdout.splitlines()
    assert [line.split("  ")[2].split(",")[0] for line in story[1:3]] == ["intent customer", "result customer done 200"]
    assert story[-1].endswith("  outcome onboarded")
    told = json.loads(muster("status", "run-1", "--row", "2", "--output", "json").stdout)
    assert len(told["events"]) == len(story) - 1
    assert "the ledger knows nothing of it" in muster("status", "run-1", "--row", "3").stdout


@pytest.mark.parametrize("wrong", [["--watch", "--output", "json"]])
def test_a_program_does_not_watch(muster: Muster, wrong: list[str]) -> None:
    refused = muster("status", *wrong)

    assert refused.code == 2
    assert "--watch is for people" in refused.stderr + refused.stdout
