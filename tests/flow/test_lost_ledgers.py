"""Before anything is sent: a ledger that is damaged, gone or without its key, held by another, or on a full disk."""

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jobs.keys import KeySpace
from jobs.ledger import turn
from jobs.ledger.store import Store
from jobs.sandbox.server import Sandbox
from tests.processes.program import mounted

from .muster import ONE_OF_EACH, Muster, arrivals, standing, writes
from .people import Row, people, record

Filed = Callable[[list[Row]], Path]


def emptied(ledger: Path) -> None:
    os.truncate(ledger, 0)


def moved(ledger: Path) -> None:
    ledger.rename(ledger.with_name("moved.db"))


def key_removed(ledger: Path) -> None:
    Path(f"{ledger}.key").unlink()


def key_emptied(ledger: Path) -> None:
    os.truncate(f"{ledger}.key", 0)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (emptied, "muster.db is empty (0 bytes), but muster.db.key beside it is not"),
        (moved, "there is no ledger muster.db, but its key muster.db.key is there"),
        (key_removed, "muster.db.key, the key of the ledger's pseudonyms, is missing"),
        (key_emptied, "muster.db.key is damaged"),
    ],
)
def test_what_is_left_of_a_ledger_is_no_new_one(
    muster: Muster, sandbox: Sandbox, file_of: Filed, change: Callable[[Path], None], words: str
) -> None:
    path, rows = file_of(people(2)), people(2)
    assert muster("run", path, "--limit", "1").code == 3
    kept = {file: file.read_bytes() for file in muster.folder.glob("muster.db*")}
    change(muster.folder / "muster.db")
    left = {file.name: file.stat().st_size for file in muster.folder.glob("*.db*")}
    before = arrivals(sandbox)
    for command in (("run", path), ("resume",), ("plan", path)):
        ended = muster(*command)
        assert ended.code == 2, ended
        assert words in ended.stderr
        assert re.search(r"try: (restore|put) .* from .* backup", ended.stderr)
    assert {file.name: file.stat().st_size for file in muster.folder.glob("*.db*")} == left
    assert writes(sandbox, before) == []
    for file, content in kept.items():  # as the hints say
        file.write_bytes(content)
        file.chmod(0o600)
    assert muster("resume").code == 0
    assert [standing(sandbox, row["national_id"]) for row in rows] == [ONE_OF_EACH] * 2


@pytest.mark.slow
def test_a_ledger_that_was_moved_away_on_purpose_with_its_key_is_begun_anew(muster: Muster, file_of: Filed) -> None:
    assert muster("run", file_of(people(2))).code == 0
    for name in ("muster.db", "muster.db.key"):
        (muster.folder / name).rename(muster.folder / f"old-{name}")
    again = muster("run", muster.folder / "customers.csv")
    assert again.code == 0
    assert again.outcomes == ["already_onboarded"] * 2


def test_a_ledger_that_has_used_no_key_yet_gets_one(muster: Muster, file_of: Filed) -> None:
    Store.open("sqlite:///muster.db").close()
    assert muster("run", file_of(people(1))).code == 0
    assert (muster.folder / "muster.db.key").stat().st_size == 65


def test_a_ledger_that_is_held_is_6_before_anything_is_sent(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "BUSY_SECONDS", 0.2)
    Store.open("sqlite:///muster.db").close()
    with closing(sqlite3.connect("muster.db", isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        ended = muster("run", file_of(people(1)))
    assert ended.code == 6
    assert "holds the lock of the ledger muster.db" in ended.stderr
    assert writes(sandbox) == []
    assert not ended.folder.exists()
    assert muster("run", muster.folder / "customers.csv").code == 0


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("place", "options", "words"),
    [
        ("ledger", "size=8k", "free space there"),
        ("ledger", "size=100k", "free space there"),
        ("ledger", "nr_inodes=1", "remove files there"),
        ("ledger", "nr_inodes=2", "remove files there"),
        ("ledger", "nr_inodes=3", "remove files there"),
        ("runs", "size=8k", "free space there"),
        ("runs", "nr_inodes=1", "remove files there"),
        ("runs", "nr_inodes=2", "remove files there"),
        ("runs", "nr_inodes=4", "remove files there"),
        ("runs", "nr_inodes=6", "remove files there"),
        ("runs", "ro", "make .* writable"),
    ],
)
def test_a_full_disk_before_anything_was_sent_is_2_with_a_hint_that_works(
    muster: Muster, sandbox: Sandbox, file_of: Filed, place: str, options: str, words: str
) -> None:
    disk, path = muster.folder / place, file_of(people(2))
    ledger = ("--ledger", "sqlite:///ledger/muster.db") if place == "ledger" else ()
    with mounted(disk, options) as again:
        ended = muster("run", path, *ledger)
        assert ended.code == 2, ended
        assert re.search(rf"  try: {words}", ended.stderr), ended
        assert "writable" in ended.stderr or re.search(rf"\({disk}: .* are free, and .* inodes\)", ended.stderr)
        assert writes(sandbox) == []
        assert not ended.folder.exists()
        again("rw,size=50m,nr_inodes=1000")
        assert muster("run", path, *ledger).code == 0


@pytest.mark.few(1)
@pytest.mark.parametrize("shown", [True, False])
def test_a_key_with_an_invisible_sign_is_found_at_the_target_when_the_ledger_is_gone(
    muster: Muster, sandbox: Sandbox, file_of: Filed, shown: bool
) -> None:
    """An earlier muster derived the key from the reference with its sign; only the target knows it now."""
    keys = KeySpace.of("eclipse", "1001")
    row = people(1)[0]
    row["row_ref"] += "\u200b"
    issued = keys.customer(row_ref=row["row_ref"], national_id=None)
    wallet = {"walletTypeId": 5001, "externalUniqueId": keys.wallet(issued, 5001)}
    sandbox.configure(show_external_ids=shown)
    sandbox.plant(**record(row, externalUniqueId=issued, kyc="PASSED", wallets=[wallet]))
    before = arrivals(sandbox)
    ended = muster("run", file_of([row]))

    assert (ended.code, ended.outcomes) == (0, ["already_onboarded"]), ended.rows
    assert writes(sandbox, before) == []
    assert ended.rows[0]["wallet_external_unique_id"] == wallet["externalUniqueId"]
    assert ended.rows[0]["external_unique_id"] != issued
    assert ("written_differently:external_unique_id" in ended.rows[0]["warnings"]) is shown
    assert {line["class"] for line in ended.reconciliation} == {"match"}
    assert muster("run", file_of([row])).outcomes == ["already_onboarded"]
