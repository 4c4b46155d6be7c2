"""Whole runs with the ledger on a PostgreSQL server, by real processes; killed, crashed and cut off on both sides."""

import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from jobs.ledger.packed import pack
from jobs.sandbox.server import Sandbox
from tests.cable import Cable
from tests.postgres import Server

from .muster import Muster, also, arrivals, eventually, standing, writes
from .people import Row, people
from .test_kill import proves_once_each

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def ledger(postgres: Server, muster: Muster, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ledger of all commands of a test."""
    url = postgres.ledger()
    monkeypatch.setenv("MUSTER_LEDGER", url)
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", "k" * 32)
    return url


def test_a_night_runs_from_the_file_to_the_evidence_with_the_least_rights(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    ledger: str,
    tmp_path: Path,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = people(3)
    assert muster("ledger", "upgrade").code == 0
    monkeypatch.setenv("MUSTER_LEDGER", postgres.granted(ledger))
    assert muster("doctor").code == 0
    first = muster("run", file_of(rows))
    proves_once_each(sandbox, rows, first)
    before = arrivals(sandbox)
    again = muster("run", file_of(rows))

    assert (again.code, again.counts) == (0, {"already_onboarded": 3})
    assert writes(sandbox, before) == []
    for command in ("status", "runs", "open"):
        assert muster(command).code == 0, command
    for command in ("verify", "reconcile", "report"):
        assert muster(command, first.folder.name).code == 0, command
    assert muster("lookup", "--customer-id", first.rows[0]["customer_id"]).code == 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("muster.db")]


def test_a_key_of_pseudonyms_has_to_be_given(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUSTER_PSEUDONYM_KEY")
    ended = muster("run", file_of(people(1)))

    assert ended.code == 2
    assert "MUSTER_PSEUDONYM_KEY_FILE" in ended.stderr
    assert writes(sandbox) == []


def test_a_server_that_is_not_there_is_a_line_of_the_doctor_and_no_run(
    muster: Muster, sandbox: Sandbox, file_of: Filed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_LEDGER", f"postgresql:///muster?host={tmp_path}")
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", "k" * 32)
    doctor, run = muster("doctor"), muster("run", file_of(people(1)))

    assert (doctor.code, run.code) == (1, 2)
    assert [line for line in doctor.stdout.splitlines() if "ledger" in line and "can't be reached" in line], doctor
    assert "can't be reached" in run.stderr
    assert writes(sandbox) == []
    assert not run.folder.exists()


@pytest.mark.parametrize("url", ["postgresql://muster:hunter2@db/muster", "postgresql:///muster?password=hunter2"])
@pytest.mark.parametrize("command", ["run", "runs", "config"])
def test_a_password_within_the_url_is_refused_and_shown_nowhere(
    muster: Muster, file_of: Filed, command: str, url: str
) -> None:
    ended = muster(command, *([file_of(people(1))] if command == "run" else []), "--ledger", url)

    assert ended.code == 2
    assert "holds a password" in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout


@pytest.mark.slow
def test_what_is_personal_is_erased_by_the_owner_of_the_tables(
    muster: Muster, file_of: Filed, ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = people(2)
    run = muster("run", file_of(rows))
    shown = {row["phone_masked"] for row in run.rows}
    monkeypatch.setattr("sys.stdin", io.StringIO(rows[0]["national_id"] + "\n"))
    assert muster("forget", "--subject", "-").code == 0
    assert muster("purge", "--older-than", "0").code == 0

    assert len(list(tmp_path.glob("erasure-*.json"))) >= 1
    assert "" not in shown
    assert psycopg_rows(ledger, "SELECT count(*) FROM outcome WHERE phone_masked IS NOT NULL") == [(0,)]
    assert psycopg_rows(ledger, "SELECT count(*) FROM record") == [(0,)]
    assert muster("verify", run.folder.name).code == 0
    assert muster("ledger", "check").code == 0


@pytest.mark.few(2)
@pytest.mark.parametrize("operation", ["create_customer", *also("trigger_kyc", "create_wallet")])
@pytest.mark.parametrize("when", ["after", *also("before")])
def test_a_run_killed_at_a_write_is_finished_without_a_double(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, ledger: str, operation: str, when: str
) -> None:
    rows = people(6)
    muster.killed(operation, when, 3, "run", file_of(rows), "--concurrency", "4")
    proves_once_each(sandbox, rows, muster("resume"))


def crash(server: Server) -> None:
    server.crash()


def kill_a_process(server: Server) -> None:
    os.kill(server.backends()[0], signal.SIGKILL)


def end_connections(server: Server) -> None:
    server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster'")


@pytest.mark.slow
@pytest.mark.parametrize("lose", [crash, kill_a_process, end_connections])
def test_a_server_that_is_lost_during_a_run_costs_nothing(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ledger: str, postgres: Server, lose: Callable[[Server], None]
) -> None:
    rows = people(12)
    sandbox.configure(latency_ms=30)
    started = muster.start("run", file_of(rows), "--concurrency", "4")
    for calls in (4, 12, 20):
        eventually(lambda calls=calls: len(writes(sandbox)) >= calls or started.running.poll() is not None, 200)
        lose(postgres)
    ended = muster.wait(started)
    assert ended.code == 0, ended
    proves_once_each(sandbox, rows, ended)


@pytest.mark.slow
def test_a_run_whose_server_stays_away_stops_and_is_gone_on_with(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ledger: str, postgres: Server
) -> None:
    rows = people(12)
    sandbox.configure(latency_ms=30)
    started = muster.start("run", file_of(rows), "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) >= 4)
    postgres.stop(signal.SIGQUIT)
    try:
        ended = muster.wait(started)
    finally:
        postgres.start()

    assert ended.code == 3, ended
    assert "was away for" in ended.stderr
    assert "Traceback" not in ended.stderr
    counted = f"SELECT count(*) FROM event WHERE kind = '\\x{pack('intent').hex()}'"
    intents = sum(count for (count,) in psycopg_rows(ledger, counted))
    assert len(writes(sandbox)) <= intents
    sandbox.configure(latency_ms=0)
    proves_once_each(sandbox, rows, muster("resume"))


@pytest.mark.slow
@pytest.mark.parametrize("stopped", [False, True], ids=["left alone", "asked to stop"])
def test_a_run_whose_server_freezes_stops_and_is_gone_on_with(
    muster: Muster, sandbox: Sandbox, file_of: Filed, ledger: str, postgres: Server, stopped: bool
) -> None:
    rows = people(12)
    sandbox.configure(latency_ms=30)
    started = muster.start("run", file_of(rows), "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) >= 4)
    with postgres.frozen():
        if stopped:
            started.running.send_signal(signal.SIGTERM)
        ended = muster.wait(started)

    assert ended.code == (143 if stopped else 3), ended
    assert "answered nothing for" in ended.stderr
    assert "Traceback" not in ended.stderr
    intents = sum(count for (count,) in psycopg_rows(ledger, "SELECT count(*) FROM event WHERE kind = 'intent'"))
    assert len(writes(sandbox)) <= intents
    sandbox.configure(latency_ms=0)
    proves_once_each(sandbox, rows, muster("resume"))


def followed_by(first: Server, second: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the ledger on the one that may be written to, which all commands are given."""
    hosts = quote(f"{first.folder},{second.folder}", safe="")
    monkeypatch.setenv("MUSTER_PSEUDONYM_KEY", "k" * 32)
    url = f"postgresql://postgres@/postgres?host={hosts}&target_session_attrs=read-write"
    monkeypatch.setenv("MUSTER_LEDGER", url)
    return url


@pytest.mark.slow
def test_a_failover_to_a_synchronous_replica_costs_nothing(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = people(12)
    with Server.running() as first, first.followed() as second:
        followed_by(first, second, monkeypatch)
        assert muster("ledger", "upgrade").code == 0
        sandbox.configure(latency_ms=30)
        started = muster.start("run", file_of(rows), "--concurrency", "4")
        eventually(lambda: len(writes(sandbox)) >= 12)
        first.stop(signal.SIGQUIT)
        second.ask("SELECT pg_promote()")
        ended = muster.wait(started)
        assert ended.code == 0, ended
        proves_once_each(sandbox, rows, ended)


@pytest.mark.slow
def test_a_failover_to_a_replica_that_lags_is_noticed_and_sent_nothing_to(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = people(12)
    with Server.running() as first, first.followed(lagging=True) as second:
        url = followed_by(first, second, monkeypatch)
        assert muster("ledger", "upgrade").code == 0
        sandbox.configure(latency_ms=30)
        started = muster.start("run", file_of(rows), "--concurrency", "4")
        eventually(lambda: len(writes(sandbox)) >= 8)
        second.follow_no_more()
        behind = arrivals(sandbox)
        eventually(lambda: len(writes(sandbox, behind)) >= 8)
        first.stop(signal.SIGQUIT)
        (intents,) = second.ask("SELECT count(*) FROM event WHERE kind = 'intent'")[0]
        second.ask("SELECT pg_promote()")
        ended = muster.wait(started)

        assert ended.code == 7, ended
        assert "went back in time" in ended.stderr
        assert len(writes(sandbox)) > intents
        assert psycopg_rows(url, "SELECT count(*) FROM event WHERE kind = 'intent'") == [(intents,)]
        sandbox.configure(latency_ms=0)
        resumed = muster("resume")
        assert set(resumed.outcomes) <= {"onboarded", "already_onboarded", "conflict"}
        assert {row["reason_code"] for row in resumed.rows} <= {"", "unproven"}  # made by what it knows nothing of
        assert all(standing(sandbox, row["national_id"]).customers == 1 for row in rows)
        assert all(standing(sandbox, row["national_id"]).verifications <= 1 for row in rows)


ELSEWHERE = "UPDATE space SET owner_boot = 'ffffffff-ffff-ffff-ffff-ffffffffffff', owner_host = 'elsewhere'"
"""The owner seems to be on another host: only its heart tells whether it lives."""


@pytest.mark.slow
@pytest.mark.parametrize("away", ["frozen", "cut off"])
def test_a_run_that_is_away_for_long_sends_nothing_more_once_another_one_may_work(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    ledger: str,
    postgres: Server,
    away: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, path, cable = people(12), "", Cable(postgres)
    path = file_of(rows)
    sandbox.configure(latency_ms=400)
    way = cable.ledger(ledger)
    first = muster.start("run", path, "--concurrency", "2", env={"MUSTER_LEDGER": way})
    eventually(lambda: len(writes(sandbox)) >= 4)
    with psycopg.connect(ledger, autocommit=True) as connection:
        connection.execute(ELSEWHERE)
    if away == "frozen":
        first.running.send_signal(signal.SIGSTOP)
    else:
        cable.cut()
    gone = arrivals(sandbox)
    second = muster.start("run", path, "--lock-timeout", "50")
    eventually(lambda: len(writes(sandbox, gone)) > 4, 90)  # what was under way, and then the other one's
    taken_over = arrivals(sandbox)
    if away == "frozen":
        first.running.send_signal(signal.SIGCONT)
    else:
        cable.close()
    sandbox.configure(latency_ms=0)
    said, done = muster.wait(first), muster.wait(second)

    assert said.code in {2, 3, 6}, said
    assert done.code == 0, done
    assert taken_over >= gone
    proves_once_each(sandbox, rows, done)


def psycopg_rows(url: str, statement: str) -> list[tuple[int]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]
