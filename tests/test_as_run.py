"""A worker has the settings that its run was begun with, whatever the machine that it works on is set to."""

from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.settings.as_run import as_run, egress_here, index
from jobs.settings.precedence import settings

GIVEN = {
    "base_url": "https://eclipse.example",
    "tenant": "1001",
    "rate": "60/180",
    "deadline": "06:30",
    "workers": "4",
    "strict_ids": True,
    "max_errors": "2%",
    "decision_poll": "0.5",
    "fail_on": "declined,new",
    "kyc_type": "COMPARISON",
    "checks": "A,B",
}


def test_a_worker_has_the_settings_of_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "muster.toml"
    config.write_text(
        'concurrency = 3\n[columns]\n"Given name" = "first_name"\n[values.currency]\nRand = "ZAR"\n'
        "[eclipse]\nuser_type_id = 7\n"
    )
    run = settings({**GIVEN, "ledger": "sqlite:///a.db"}, environ={})
    config.write_text('tenant = "9"\nrate = "1/1"\n')
    monkeypatch.setenv("MUSTER_CONCURRENCY", "99")
    worker = as_run(run.shown(), "sqlite:///b.db")

    assert worker.shown() == {**run.shown(), "ledger": "sqlite:///b.db"}
    assert worker.origins["limit"] == "default"


def test_a_password_of_a_proxy_is_the_worker_s_own() -> None:
    proxy = "http://user:hunter2@127.0.0.1:3128"
    run = settings({**GIVEN}, environ={"MUSTER_PROXY": proxy})

    assert "hunter2" not in str(run.shown())
    assert as_run(run.shown(), "sqlite:///b.db", {"MUSTER_PROXY": proxy}).proxy == run.proxy
    assert as_run(run.shown(), "sqlite:///b.db", {"MUSTER_PROXY": "http://127.0.0.1:9"}).shown() == {
        **run.shown(),
        "ledger": "sqlite:///b.db",
    }


def test_an_address_that_calls_leave_from_is_named_on_each_machine() -> None:
    assert egress_here("led", {}) == "led"
    assert egress_here("led", {"MUSTER_EGRESS": "203.0.113.7"}) == "203.0.113.7"
    with pytest.raises(Unusable, match="is not named"):
        egress_here(None, {})


def test_schedulers_that_say_different_numbers_are_heard_by_nobody() -> None:
    both = {"JOB_COMPLETION_INDEX": "3", "AWS_BATCH_JOB_ARRAY_INDEX": "3"}

    assert index({}) is None
    assert index(both) == ("JOB_COMPLETION_INDEX", "3")
    with pytest.raises(ValueError, match="JOB_COMPLETION_INDEX=3 and SLURM_ARRAY_TASK_ID=4"):
        index({"JOB_COMPLETION_INDEX": "3", "SLURM_ARRAY_TASK_ID": "4"})
