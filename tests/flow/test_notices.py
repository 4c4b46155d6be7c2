"""The end of a run is told to a webhook, a command, a dead man's switch and Prometheus; none can change or delay it."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs.settings.hook import hook

from .muster import Muster
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


class Listener:
    """What a webhook heard: path, headers and body of each call."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.answers, self.hold = 200, threading.Event()
        self.hold.set()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.hold.wait(30)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                listener.heard.append((self.path, dict(self.headers), body))
                self.send_response(listener.answers)
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def webhook() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.hold.set()
    listener.server.shutdown()
    listener.server.server_close()


def test_a_webhook_hears_the_end_signed_and_masked(
    muster: Muster, webhook: Listener, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_NOTIFY_KEY", "a key of the receiver")
    rows = [person(1), person(2, phone="1")]
    url = f"{webhook.url}/services/T000/secret"

    ended = muster("run", file_of(rows), "-q", "--notify", url, "--ping", f"{webhook.url}/ping")

    (path, headers, body), *_ = [each for each in webhook.heard if not each[0].startswith("/ping")]
    told = json.loads(body)
    signed = hmac.new(b"a key of the receiver", headers["X-Muster-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert (path, headers["X-Muster-Signature"]) == ("/services/T000/secret", f"sha256={signed.hexdigest()}")
    assert (told["exit_code"], told["outcomes"]["quarantined"], told["new"]) == (1, 1, {"quarantined": 1})
    assert "1: finished, but rows need attention" in told["text"]
    assert "muster mend run-1" in told["text"]
    assert str(ended.folder / "report.html") in told["text"]
    assert {each[0] for each in webhook.heard} == {path, "/ping/start", "/ping/1"}
    everything = "".join(file.read_text(errors="replace") for file in ended.folder.rglob("*") if file.is_file())
    assert "T000" not in everything + ended.stderr
    assert rows[1]["national_id"] not in body.decode()


def test_a_quiet_run_says_what_a_person_needs_at_night(muster: Muster, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1), person(2, phone="1"), person(3, "Refused")]), "-q", "--limit", "1")

    assert ended.stdout == ""
    for words in (
        "muster: run run-1 ended with 3: stopped by policy",
        "1 onboarded, 1 quarantined, 1 not_attempted",
        "stopped: no more rows were wanted (--limit)",
        f"report: {ended.folder / 'report.html'}",
        "next: muster resume run-1",
        "next: muster mend run-1 --to mend-run-1.csv",
    ):
        assert words in ended.stderr
    assert muster("run", file_of(people(1)), "-q").stderr == ""


def test_a_command_gets_the_notice_on_stdin_and_no_secret(muster: Muster, file_of: Filed) -> None:
    script = muster.folder / "tell.sh"
    script.write_text('#!/bin/sh\ncat > told.json; env > told.env; test "$MUSTER_EXIT_CODE" = 0\n')
    script.chmod(0o700)

    ended = muster("run", file_of(people(1)), "--notify", f"{script} --loud")

    assert (ended.code, "not delivered" in ended.stderr) == (0, False)
    assert json.loads((muster.folder / "told.json").read_text())["run_id"] == "run-1"
    assert "MUSTER_PASSWORD" not in (muster.folder / "told.env").read_text()


@pytest.mark.few(2)
@pytest.mark.parametrize("way", ["refuses", "hangs", "is not there", "fails"])
def test_nothing_that_is_told_changes_the_end_or_holds_it_up(
    muster: Muster, webhook: Listener, file_of: Filed, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr("jobs.operations.deliver.PATIENCE", 0.3)
    webhook.answers = 500
    if way == "hangs":
        webhook.hold.clear()
    where = {"is not there": "/nowhere/at/all", "fails": "false"}.get(way, webhook.url)

    ended = muster("run", file_of(people(1)), "--notify", where)

    assert (ended.code, ended.outcomes) == (0, ["onboarded"])
    assert "the notice was not delivered" in ended.stderr


def test_a_run_that_never_began_is_told_too(muster: Muster, webhook: Listener, file_of: Filed) -> None:
    assert muster("run", file_of(people(1)), "--min-rows", "5", "--notify", webhook.url).code == 2

    [(_, _, body)] = webhook.heard
    assert (json.loads(body)["exit_code"], "fewer than --min-rows 5" in json.loads(body)["text"]) == (2, True)


@pytest.mark.parametrize(("more", "code"), [((), 0), (("--min-rows", "5"), 2)])
def test_the_dead_mans_switch_hears_the_beginning_and_then_the_end(
    muster: Muster, webhook: Listener, file_of: Filed, more: tuple[str, ...], code: int
) -> None:
    ended = muster("run", file_of(people(1)), "--ping", f"{webhook.url}/night", *more)

    assert ended.code == code
    assert [path for path, _, _ in webhook.heard] == ["/night/start", "/night" + (f"/{code}" if code else "")]


def test_a_switch_that_does_not_answer_holds_no_run_up(
    muster: Muster, webhook: Listener, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.operations.deliver.PATIENCE", 0.3)
    webhook.hold.clear()
    ended = muster("run", file_of(people(1)), "--ping", webhook.url)

    assert (ended.code, ended.outcomes) == (0, ["onboarded"])
    assert "the notice was not delivered" in ended.stderr


def test_prometheus_reads_the_numbers_of_the_run(muster: Muster, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1), person(2, phone="1")]), "--metrics", "muster.prom")

    found = (muster.folder / "muster.prom").read_text()
    assert (
        f'muster_rows{{tenant="{ended.summary["tenant"]}",command="run",system="eclipse",outcome="onboarded"}} 1'
        in found
    )
    assert found.count("# TYPE muster_rows gauge") == 1
    assert "muster_success_timestamp_seconds" not in found
    (muster.folder / "muster.prom").write_text(
        "# TYPE muster_success_timestamp_seconds gauge\nmuster_success_timestamp_seconds{} 7\n"
    )
    muster("run", muster.folder / "customers.csv", "--metrics", "muster.prom")
    assert "\nmuster_success_timestamp_seconds{} 7\n" in (muster.folder / "muster.prom").read_text()
    assert (muster.folder / "muster.prom").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("text", ["", "http://example.com/x", "https://u:p@example.com", "ftp://x", "'"])
def test_what_is_neither_a_command_nor_a_safe_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="https"):
        hook(text)


def test_a_hook_is_shown_without_what_may_be_secret() -> None:
    assert str(hook("https://hooks.slack.com/services/T0/B0/x")) == "https://hooks.slack.com/..."
    assert repr(hook("/usr/bin/tell --key x")) == "/usr/bin/tell ..."


def test_a_collector_gets_the_run_as_a_span(muster: Muster, webhook: Listener, file_of: Filed) -> None:
    muster("run", file_of([person(1), person(2, phone="1")]), "--otlp", f"{webhook.url}/")

    [(path, headers, body)] = webhook.heard
    [resource] = json.loads(body)["resourceSpans"]
    [span] = resource["scopeSpans"][0]["spans"]
    told = {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}
    assert (path, headers["Content-Type"], span["name"]) == ("/v1/traces", "application/json", "muster run")
    assert (len(span["traceId"]), len(span["spanId"])) == (32, 16)
    assert span["traceId"] == hashlib.sha256(b"run-1").hexdigest()[:32]
    assert int(span["startTimeUnixNano"]) < int(span["endTimeUnixNano"])
    assert (told["muster.run_id"], told["muster.exit_code"], told["muster.rows.onboarded"]) == ("run-1", "1", "1")
    assert span["status"] == {"code": 1}
