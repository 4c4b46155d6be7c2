"""The preflight: each line passes or says what to do, and nothing is changed by asking."""

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.clock import Clock
from jobs.sandbox.server import Sandbox

from .muster import REPOSITORY, Ended, Muster, writes
from .people import Row, people

Filed = Callable[[list[Row]], Path]
Checks = Mapping[str, Mapping[str, Any]]


def checks(ended: Ended) -> Checks:
    """The lines of a preflight by name; a name that comes twice counts by its worse line."""
    found: dict[str, Mapping[str, Any]] = {}
    for each in json.loads(ended.stdout)["checks"]:
        if each["check"] not in found or each["result"] == "fail":
            found[each["check"]] = each
    return found


def results(ended: Ended) -> dict[str, str]:
    return {name: each["result"] for name, each in checks(ended).items()}


def test_a_preflight_of_a_good_set_up_passes_and_changes_nothing(muster: Muster, sandbox: Sandbox) -> None:
    ended = muster("doctor", "--output", "json")
    assert ended.code == 0
    assert {"login", "clock", "existence test", "ledger", "disk", "tenant of the credential"} <= {
        name for name, result in results(ended).items() if result == "pass"
    }
    assert "fail" not in results(ended).values()
    assert writes(sandbox) == []
    assert list(muster.folder.iterdir()) == []


def test_every_line_that_fails_says_what_to_do(muster: Muster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_PASSWORD", "not-the-password")
    monkeypatch.setenv("MUSTER_TENNANT", "1")
    ended = muster("doctor", "--ledger", "sqlite:///nowhere/muster.db", "--output", "json")
    failed = {name: each["advice"] for name, each in checks(ended).items() if each["result"] == "fail"}
    assert ended.code == 1
    assert set(failed) == {"environment", "ledger", "login"}
    assert all(failed.values())
    assert "not-the-password" not in ended.stdout + ended.stderr


def test_a_token_that_is_given_is_tried_with_a_read(
    muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = httpx.post(
        f"{sandbox.base_url}/eclipse-conductor/rest/v1/authentication/login",
        json={"identity": sandbox.identity, "password": sandbox.password},
    )
    for name in ("IDENTITY", "PASSWORD"):
        monkeypatch.delenv(f"MUSTER_{name}")
    monkeypatch.setenv("MUSTER_TOKEN", answer.json()["headerValue"].removeprefix("Bearer "))
    login = checks(muster("doctor", "--output", "json"))["login"]
    monkeypatch.setenv("MUSTER_TOKEN", "eyJhbGciOiJub25lIn0.e30.stranger")

    assert (login["result"], login["found"]) == ("pass", "the given token was accepted by a read")
    assert results(muster("doctor", "--output", "json"))["login"] == "fail"


def test_missing_settings_are_lines_and_the_target_is_left_alone(
    muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASE_URL", "TENANT", "IDENTITY", "PASSWORD"):
        monkeypatch.delenv(f"MUSTER_{name}")
    ended = muster("doctor")
    assert ended.code == 1
    assert all(f"FAIL  {name}" in ended.stdout for name in ("base url", "tenant", "credential"))
    assert "not asked" in ended.stdout
    assert sandbox.journal() == []


def test_offline_the_target_is_left_alone(muster: Muster, sandbox: Sandbox) -> None:
    assert muster("doctor", "--offline").code == 0
    assert sandbox.journal() == []


@pytest.mark.parametrize(("offset", "result"), [(-600.0, "fail"), (600.0, "fail"), (30.0, "note"), (0.0, "pass")])
def test_a_clock_that_is_wrong_is_found(muster: Muster, sandbox: Sandbox, offset: float, result: str) -> None:
    sandbox.configure(clock_offset=offset)
    assert results(muster("doctor", "--output", "json"))["clock"] == result


@pytest.mark.few(1)
@pytest.mark.parametrize(("shown", "result"), [(True, "pass"), (False, "note")])
def test_whether_profiles_show_our_key_is_told(
    muster: Muster, sandbox: Sandbox, file_of: Filed, shown: bool, result: str
) -> None:
    sandbox.configure(show_external_ids=shown)
    assert muster("run", file_of(people(1))).code == 0
    assert results(muster("doctor", "--output", "json"))["keys in profiles"] == result


def test_headers_of_a_limit_are_shown(muster: Muster, sandbox: Sandbox) -> None:
    sandbox.configure(user_limit="100/60")
    found = checks(muster("doctor", "--output", "json"))["limit headers"]
    assert found["result"] == "pass"
    assert "x-ratelimit-limit: 100" in found["found"]


def test_a_search_that_is_forbidden_fails_with_the_credential_to_use(muster: Muster, sandbox: Sandbox) -> None:
    sandbox.faults([{"operation": "search_customers", "kind": "status", "params": {"status": 403}}])
    ended = muster("doctor", "--output", "json")
    assert (ended.code, results(ended)["search of customers"]) == (1, "fail")


def test_an_existence_test_that_is_forbidden_is_worth_a_note_only(muster: Muster, sandbox: Sandbox) -> None:
    sandbox.faults([{"operation": "customer_exists", "kind": "status", "params": {"status": 403}}])
    ended = muster("doctor", "--output", "json")
    assert (ended.code, results(ended)["existence test"]) == (0, "note")


def test_a_key_file_that_others_may_read_fails(muster: Muster, file_of: Filed) -> None:
    assert muster("run", file_of(people(1))).code == 0
    (muster.folder / "muster.db.key").chmod(0o644)
    ended = muster("doctor", "--output", "json")
    assert (ended.code, results(ended)["pseudonym key"]) == (1, "fail")


def test_a_wrong_table_of_the_system_is_a_line(muster: Muster) -> None:
    (muster.folder / "muster.toml").write_text('[eclipse]\ncurrency = "RAND"\n')
    ended = muster("doctor")
    assert ended.code == 1
    assert "FAIL  settings of the system     [eclipse] currency: 'RAND' is not an ISO 4217 code" in ended.stdout


def test_a_ledger_of_an_older_version_is_left_as_it_is(muster: Muster) -> None:
    path = muster.folder / "muster.db"
    with closing(sqlite3.connect(path)) as older:
        older.executescript((REPOSITORY / "tests" / "ledger" / "version_1.sql").read_text())
    path.chmod(0o600)
    (muster.folder / "muster.db.key").write_text("ab" * 32)
    (muster.folder / "muster.db.key").chmod(0o600)
    assert results(muster("doctor", "--output", "json"))["ledger"] == "pass"
    with closing(sqlite3.connect(path)) as older:
        assert older.execute("SELECT version FROM schema_version").fetchall() == [(1,)]


def test_a_pause_that_is_not_over_and_a_limit_that_was_learned_are_lines_with_their_age(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults([{"operation": "create_customer", "nth": 2, "kind": "throttle", "params": {"retry_after": 86400}}])
    assert muster("run", file_of(people(5)), "--concurrency", "1").code == 3
    for hours in (0, -3, 3):  # the clock is set; it is the same boot
        monkeypatch.setattr(Clock, "now", lambda _, hours=hours: datetime.now(UTC) + timedelta(hours=hours))
        shown = muster("doctor").stdout
        assert re.search(r"900 write calls in 1 s, .* HTTP 429 \d+ s ago", shown)
        assert re.search(r"no write calls for 1 d, until .*\(HTTP 429\); a run waits (1 h|59 min)", shown)

    monkeypatch.setattr(Clock, "boot", lambda _: "after a restart")
    monkeypatch.setattr(Clock, "now", lambda _: datetime.now(UTC) - timedelta(hours=3))
    assert "HTTP 429 at a time that this clock has not reached" in muster("doctor").stdout
    monkeypatch.setattr(Clock, "now", lambda _: datetime.now(UTC) + timedelta(hours=3))
    shown = muster("doctor").stdout
    assert "HTTP 429 3 h ago" in shown
    assert "no write calls" not in shown
