"""A target that can't be reached, at the start or in mid-run: nothing is refused, nothing is lost, and it goes on."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox
from tests.processes.proxy import FaultyProxy, abort, message

from .muster import ONE_OF_EACH, Ended, Muster, Started, arrivals, eventually, standing, writes
from .people import Row, people

Filed = Callable[[list[Row]], Path]

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
SORRY = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 29\r\n\r\n<html>Back in a minute</html>"


class Valve(FaultyProxy):
    """Carries everything while it is open. Shut, it does to each call what `manner` says, and counts them."""

    def __init__(self, target: str) -> None:
        super().__init__(target, seed=1, every=10**9)
        self.manner: str | None = None
        self.shut_out = 0

    def carry(self, client: socket.socket) -> None:
        """One connection of the client's."""
        with socket.create_connection(self.address) as target:
            while self.manner != "reset" and (request := message(client)):
                if self.manner is None:
                    target.sendall(request)
                    client.sendall(message(target))
                    continue
                self.shut_out += 1
                if self.manner == "503":
                    client.sendall(UNAVAILABLE)
                elif self.manner == "page":
                    client.sendall(SORRY)
                else:
                    break
            else:
                if self.manner is None:
                    return
        self.shut_out += self.manner == "reset"
        abort(client)


@pytest.fixture
def valve(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valve]:
    """What stands between muster and the sandbox."""
    with Valve(sandbox.base_url) as valve:
        monkeypatch.setenv("MUSTER_BASE_URL", valve.url)
        yield valve


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where connections are refused, given up after half a second; the address."""
    monkeypatch.setattr("jobs.transport.outage.START_SECONDS", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        yield place


def unreachable(ended: Ended, place: str) -> bool:
    """Whether the command ended as it should when nobody is there."""
    assert ended.code == 75, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if "can't be reached" in line]
    cause = f"muster: {place} can't be reached: no connection (connection refused); "
    assert lines == [cause + "nothing is wrong with the file or the credential"]
    assert "run it again" in ended.stderr
    return True


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_target_that_is_not_there_at_the_start_ends_with_75_and_leaves_no_folder(
    muster: Muster, sandbox: Sandbox, file_of: Filed, nobody: str, command: str
) -> None:
    ended = muster(command, file_of(people(2)), "--base-url", f"http://{nobody}")

    assert unreachable(ended, nobody)
    assert not ended.folder.exists()
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    "arguments", [["lookup", "--customer-id", "1"], ["admin-users", "list"]], ids=lambda each: each[0]
)
def test_commands_that_read_say_the_same(muster: Muster, nobody: str, arguments: list[str]) -> None:
    assert unreachable(muster(*arguments, "--base-url", f"http://{nobody}"), nobody)


def test_doctor_shows_its_lines_and_ends_with_75(muster: Muster, nobody: str) -> None:
    ended = muster("doctor", "--base-url", f"http://{nobody}")

    assert ended.code == 75
    assert f"FAIL  target                     {nobody} can't be reached: " in ended.stdout


@pytest.mark.few(1)
@pytest.mark.parametrize("command", ["reconcile", "resume", "retry"])
def test_so_do_commands_about_an_earlier_run(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    with Valve(sandbox.base_url) as valve:
        assert muster("run", file_of(people(1)), "--base-url", valve.url).code == 0
    monkeypatch.setattr("jobs.transport.outage.START_SECONDS", 0.5)

    ended = muster(command, "run-1", "--base-url", valve.url)  # which nobody serves any more

    assert unreachable(ended, valve.url.removeprefix("http://"))
    assert {path.name for path in (muster.folder / "runs").iterdir()} == {"run-1"}
    assert list((muster.folder / "runs" / "run-1").glob("reconcile-*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("system", ["omnumi", "banklingo"])
def test_a_system_without_a_login_is_missed_at_the_start_too(
    muster: Muster, nobody: str, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setenv("MUSTER_TOKEN", "given-token")
    monkeypatch.setenv("MUSTER_TENANT", "5f0c2d4e-7a1b-4c3d-9e8f-0a1b2c3d4e5f")
    (muster.folder / "rows.csv").write_text(muster("schema", system, "--format", "csv").stdout)

    ended = muster("run", "rows.csv", "--system", system, "--base-url", f"http://{nobody}", "--canary", "0")

    assert unreachable(ended, nobody)
    assert not ended.folder.exists()


def saying(started: Started, words: str) -> None:
    """Reads what a command under way says, until it says that, and no further: who waits for its end reads the rest."""
    assert started.running.stderr is not None
    line = b""
    while byte := os.read(started.running.stderr.fileno(), 1):
        line += byte
        if byte == b"\n":
            if words in line.decode():
                return
            line = b""
    raise AssertionError(f"it never said {words!r}")


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("manner", "concurrency"),
    [
        ("reset", "8"),
        ("503", "1"),
        pytest.param("page", "4", marks=pytest.mark.slow),
        pytest.param("hang up", "1", marks=pytest.mark.slow),
        pytest.param("503", "8", marks=pytest.mark.slow),
    ],
)
def test_a_run_waits_for_a_target_that_comes_back(
    muster: Muster, sandbox: Sandbox, file_of: Filed, valve: Valve, manner: str, concurrency: str
) -> None:
    rows = people(12)
    started = muster.start("run", file_of(rows), "--concurrency", concurrency, "--breaker", "2", "--same-cause", "2")
    eventually(lambda: len(writes(sandbox)) > 6)
    valve.manner = manner
    saying(started, " does not answer (")
    before = valve.shut_out
    eventually(lambda: valve.shut_out > before)  # it is probed
    valve.manner = None
    ended = muster.wait(started)

    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 12), ended.stderr
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 12
    outages = 1 + ended.stderr.count("does not answer")  # a call that was under way may be answered, and end the first
    assert ended.stderr.count("answers again, after") == outages <= 2
    assert valve.shut_out < 60
    assert any("was waited for" in note for note in ended.summary["notes"])


@pytest.mark.parametrize("manner", ["503", pytest.param("reset", marks=pytest.mark.slow)])
def test_a_run_whose_target_does_not_come_back_ends_with_75_and_can_be_resumed(
    muster: Muster, sandbox: Sandbox, file_of: Filed, valve: Valve, manner: str
) -> None:
    rows = people(30)
    started = muster.start("run", file_of(rows), "--outage-wait", "2", "--breaker", "2", "--concurrency", "4")
    eventually(lambda: len(writes(sandbox)) > 6)
    valve.manner = manner
    ended = muster.wait(started)

    assert ended.code == 75, ended.stderr
    assert set(ended.counts) <= {"onboarded", "pending", "in_doubt", "not_attempted"}
    assert {row["reason_code"] for row in ended.rows if row["outcome"] == "not_attempted"} == {"unreachable"}
    assert all(equation["ok"] for equation in ended.summary["equations"] if equation["kind"] == "books")
    assert {line["class"] for line in ended.reconciliation} <= {"unverified", "not_sent"}
    assert "unverified" in {line["class"] for line in ended.reconciliation}
    assert any("can't be reached" in note for note in ended.summary["notes"])
    assert ended.summary["next_command"] == "muster resume run-1"
    assert muster("verify", "run-1").code == 0

    valve.manner = None
    assert muster("resume").outcomes.count("onboarded") + ended.counts["onboarded"] >= 30
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 30


def test_an_outage_at_the_fresh_read_leaves_rows_unverified(
    muster: Muster, sandbox: Sandbox, file_of: Filed, valve: Valve
) -> None:
    rows = people(3)

    def shut() -> None:
        eventually(lambda: {entry["operation"] for entry in writes(sandbox)[-3:]} == {"create_wallet"})
        valve.manner = "503"

    sandbox.configure(latency_ms=50.0)
    with working(shut):
        ended = muster("run", file_of(rows), "--outage-wait", "1")
    sandbox.configure(latency_ms=0.0)

    assert (ended.code, ended.outcomes) == (75, ["onboarded"] * 3), ended.stderr
    assert [line["class"] for line in ended.reconciliation] == ["unverified"] * 3
    assert ended.summary["next_command"] == "muster reconcile run-1"
    valve.manner = None
    assert muster("reconcile", "run-1").code == 0


class working:  # noqa: N801 - reads as a word
    """Does something beside the block."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.thread = threading.Thread(target=work, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.thread.join(20)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "garbage_body", "nth": 1},
        {"kind": "wrong_content_type", "nth": 1},
        {"kind": "empty_body", "nth": 1},
        {"kind": "drop_before_commit", "nth": 1},
        {"kind": "status", "nth": [1, 2, 3], "params": {"status": 503}},
        {"kind": "status", "nth": [1, 2], "params": {"status": 429, "headers": {"Retry-After": "1"}}},
        {"kind": "status", "nth": 1, "params": {"status": 403, "body": "<html>maintenance</html>"}},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('params', {}).get('status', '')}",
)
def test_a_login_that_goes_wrong_for_a_while_does_not_end_the_night(
    muster: Muster, sandbox: Sandbox, file_of: Filed, fault: dict[str, Any]
) -> None:
    sandbox.faults([{"operation": "login", **fault}])

    ended = muster("run", file_of(people(2)))

    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2), ended.stderr


def test_a_login_that_is_not_there_is_about_the_address(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of(people(1)), "--base-url", f"{sandbox.base_url}/elsewhere")

    assert (ended.code, ended.folder.exists()) == (4, False)
    assert "check --base-url" in ended.stderr


@pytest.mark.slow
def test_a_stop_does_not_wait_for_the_target(muster: Muster, sandbox: Sandbox, file_of: Filed, valve: Valve) -> None:
    started = muster.start("run", file_of(people(12)))
    eventually(lambda: arrivals(sandbox) > 10)
    valve.manner = "503"
    saying(started, " does not answer (")
    started.running.terminate()
    ended = muster.wait(started)

    assert ended.code == 143
    assert len(ended.rows) == 12
