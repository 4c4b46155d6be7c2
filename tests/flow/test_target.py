"""A ledger speaks of one target: at another address nothing is read or sent until somebody says it is the same one."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jobs.run import online
from jobs.sandbox.server import Sandbox
from tests.systems.portal import created, users

from .muster import Muster, arrivals, writes
from .people import Row, people, written

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def moved(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Another target with the same tenant and credential."""
    with Sandbox() as other:
        yield other


def origins(muster: Muster) -> list[str | None]:
    """What the ledger remembers, space by space."""
    with closing(sqlite3.connect(muster.folder / "muster.db")) as ledger:
        return [origin for (origin,) in ledger.execute("SELECT origin FROM space ORDER BY space_id")]


def test_a_run_remembers_where_its_target_is(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    muster("run", file_of(people(1)))

    assert origins(muster) == [sandbox.base_url]


def test_another_target_is_sent_nothing_and_both_addresses_are_named(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(2))
    muster("run", path)

    refused = muster("run", path, "--base-url", moved.base_url)

    assert refused.code == 2
    assert sandbox.base_url in refused.stderr
    assert moved.base_url in refused.stderr
    assert f"--moved-from {sandbox.base_url}" in refused.stderr
    assert moved.journal() == []
    assert not refused.folder.exists()
    assert origins(muster) == [sandbox.base_url]


def test_a_target_that_moved_is_gone_on_with_and_the_move_is_in_the_evidence(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(1))
    muster("run", path)

    ended = muster("run", path, "--base-url", moved.base_url, "--moved-from", f"{sandbox.base_url}/")

    assert (ended.outcomes, origins(muster)) == (["already_onboarded"], [moved.base_url])
    manifest = json.loads((ended.folder / "manifest.json").read_text())
    assert manifest["moved_from"] == sandbox.base_url
    assert any(sandbox.base_url in note for note in ended.summary["notes"])
    assert muster("run", path, "--base-url", moved.base_url).code == ended.code
    assert muster("run", path).code == 2


@pytest.mark.slow
def test_a_move_that_was_made_may_be_told_again(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(1))
    muster("run", path)
    first = muster("run", path, "--base-url", moved.base_url, "--moved-from", sandbox.base_url)

    again = muster("run", path, "--base-url", moved.base_url, "--moved-from", sandbox.base_url)

    assert again.code == first.code != 2


@pytest.mark.slow
def test_who_goes_on_with_a_run_of_before_the_move_is_told_the_new_address(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(people(1))
    before = muster("run", path)
    muster("run", path, "--base-url", moved.base_url, "--moved-from", sandbox.base_url)
    monkeypatch.delenv("MUSTER_BASE_URL")

    refused = muster("resume", before.folder.name)

    assert (refused.code, f"--base-url {moved.base_url}" in refused.stderr) == (2, True)
    assert "--moved-from" not in refused.stderr


@pytest.mark.parametrize("first", [True, False], ids=["a ledger of another target", "a ledger of none"])
def test_a_move_from_where_the_ledger_never_was_is_refused(
    muster: Muster, sandbox: Sandbox, file_of: Filed, first: bool
) -> None:
    path = file_of(people(1))
    if first:
        muster("run", path)
    before = arrivals(sandbox)

    refused = muster("run", path, "--moved-from", "https://eclipse.example")

    assert (refused.code, "https://eclipse.example:443" in refused.stderr) == (2, True)
    assert arrivals(sandbox) == before
    assert not refused.folder.exists()


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "command",
    [
        ["resume", "run-1"],
        ["retry", "run-1"],
        ["kyc", "run-1", "--retrigger"],
        ["reconcile", "run-1"],
        ["plan", "customers.csv"],
        ["register", "customers.csv", "--passwords", "delivered.csv"],
        ["admin-users", "create", "users.csv", "--passwords", "delivered.csv"],
        ["admin-users", "list"],
        ["lookup", "--customer-id", "1"],
        ["lookup", "--from", "customers.csv", "--by", "phone", "--to", "found.csv"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_command_that_reads_the_target_refuses_another_one(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed, command: list[str]
) -> None:
    muster("run", file_of([row | {"identity": "thandi.nkosi"} for row in people(1)]))
    written(muster.folder / "users.csv", users(1))

    refused = muster(*command, "--base-url", moved.base_url)

    assert refused.code == 2, refused.stderr
    assert sandbox.base_url in refused.stderr
    assert moved.journal() == []


@pytest.mark.slow
def test_who_only_reads_takes_the_move_but_does_not_remember_it(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(1))
    muster("run", path)

    ended = muster("plan", path, "--base-url", moved.base_url, "--moved-from", sandbox.base_url)

    assert ended.code in {0, 1}, ended.stderr
    assert origins(muster) == [sandbox.base_url]


def test_doctor_says_that_the_ledger_speaks_of_another_target(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed
) -> None:
    muster("run", file_of(people(1)))

    ended = muster("doctor", "--base-url", moved.base_url)

    assert ended.code == 1
    assert "FAIL  target of the ledger" in ended.stdout
    assert moved.journal() == []


def test_an_address_that_let_nobody_in_is_not_remembered(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    path = file_of(people(1))
    assert muster("run", path, "--base-url", f"{sandbox.base_url}/mistyped").code == 4

    ended = muster("run", path)

    assert (ended.code, origins(muster)) == (0, [sandbox.base_url])


def test_jobs_of_one_system_speak_of_one_target(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed
) -> None:
    assert created(muster, users(1)).code == 0

    refused = muster("run", file_of(people(1)), "--base-url", moved.base_url)
    there = muster("run", file_of(people(1)), "--base-url", moved.base_url, "--moved-from", sandbox.base_url)

    assert (refused.code, there.code) == (2, 0), there.stderr
    assert origins(muster) == [moved.base_url] * 2


@pytest.mark.slow
def test_other_tenants_and_other_ledgers_may_be_anywhere(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(people(1))
    muster("run", path)
    monkeypatch.setenv("MUSTER_BASE_URL", moved.base_url)

    ended = muster("run", path, "--ledger", "sqlite:///other.db")
    moved.configure(credentials=[{"identity": "operator", "password": "operator-password", "tenant": 2002}])
    other_tenant = muster("run", path, "--tenant", "2002")

    assert (ended.code, ended.outcomes) == (0, ["onboarded"])
    assert other_tenant.code != 2
    assert origins(muster) == [sandbox.base_url, moved.base_url]


@pytest.mark.slow
def test_a_ledger_of_before_the_address_was_kept_takes_the_next_one_and_says_where_it_was(
    muster: Muster, sandbox: Sandbox, moved: Sandbox, file_of: Filed
) -> None:
    path = file_of(people(1))
    muster("run", path)
    with closing(sqlite3.connect(muster.folder / "muster.db")) as ledger, ledger:
        ledger.execute("UPDATE space SET origin = NULL")

    wrong = muster("run", path, "--base-url", moved.base_url, "--moved-from", "https://eclipse.example")
    ended = muster("run", path, "--base-url", moved.base_url)

    assert (wrong.code, sandbox.base_url in wrong.stderr) == (2, True)
    assert [note for note in ended.summary["notes"] if sandbox.base_url in note]
    assert json.loads((ended.folder / "manifest.json").read_text())["moved_from"] == sandbox.base_url
    assert origins(muster) == [moved.base_url]
    assert muster("run", path).code == 2


def test_two_jobs_that_begin_at_different_targets_are_told_apart(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one begins between our look at the ledger and our first entry, under a lease of its own."""
    path = file_of(people(1))

    before = online.checked_first

    async def slower(*given: Any) -> Any:
        with closing(sqlite3.connect(muster.folder / "muster.db")) as ledger, ledger:
            ledger.execute(
                "INSERT INTO space (system, tenant, origin) VALUES ('eclipse:portal-users', ?, 'https://b:443')",
                (str(sandbox.tenant),),
            )
        return await before(*given)

    monkeypatch.setattr(online, "checked_first", slower)
    refused = muster("run", path)

    assert (refused.code, "https://b:443" in refused.stderr) == (2, True)
    assert writes(sandbox) == []
