"""Control totals: file, ledger and target say the same, and one changed digit in the ledger shows."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.ledger.packed import pack_all, unpack_all
from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster
from .people import Row, person, written
from .scenario import every_outcome

Filed = Callable[[list[Row]], Path]

MIXED = [person(1), person(2, "Kycfail"), person(3, phone="1"), person(4, currency="ZAR"), person(5, "Nowallet")]


def totals(ended: Ended) -> dict[str, dict[str, Any]]:
    """The control totals by name."""
    return {each["name"]: each for each in ended.summary["control_totals"]}


@pytest.fixture
def ended(muster: Muster, file_of: Filed) -> Ended:
    return muster("run", file_of(MIXED))


def test_each_side_counts_for_itself_and_all_agree(ended: Ended) -> None:
    found = totals(ended)
    assert all(each["ok"] for each in found.values())
    assert (found["rows"]["file"], found["rows"]["ledger"]) == (5, 5)
    assert found["distinct keys"]["file"] == found["distinct keys"]["ledger"] == 4
    assert found["rows complete"]["ledger"] == found["rows complete"]["target"] == 2
    assert found["customers created"]["ledger"] == 4
    wallets = {name: each["ledger"] for name, each in found.items() if name.startswith("wallets")}
    assert sum(wallets.values()) == 2
    assert found["earliest creation"]["ledger"] < found["latest creation"]["ledger"]
    assert "Control totals" in (ended.folder / "report.html").read_text()


@pytest.mark.slow
def test_hash_totals_do_not_depend_on_the_order_of_rows(muster: Muster, ended: Ended, file_of: Filed) -> None:
    again = muster("run", file_of(MIXED[::-1]))
    for name in ("hash total of identities", "hash total of phones"):
        assert totals(again)[name] == totals(ended)[name]
        assert len(totals(ended)[name]["file"]) == 16
    assert totals(again)["customers created"]["ledger"] == 0


@pytest.mark.parametrize(("column", "name"), [("national_id", "identities"), ("phone", "phones")])
def test_one_changed_value_in_the_ledger_ends_with_7_and_no_word_of_success(
    muster: Muster, ended: Ended, column: str, name: str
) -> None:
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        key, packed = ledger.execute("SELECT key, pseudonyms FROM record ORDER BY key").fetchone()
        values = unpack_all(packed)
        values[column] = values[column][::-1]
        ledger.execute("UPDATE record SET pseudonyms = ? WHERE key = ?", (pack_all(values), key))
    ledger.close()
    again = muster("report", "run-1")
    assert again.code == 7
    assert not totals(ended)[f"hash total of {name}"]["ok"]
    assert "went well" not in again.stdout
    assert f"hash total of {name}" in again.stdout
    assert muster("verify", "run-1").code == 7


@pytest.mark.slow
def test_a_file_that_was_corrected_later_leaves_the_earlier_books_closed(muster: Muster, sandbox: Sandbox) -> None:
    path = written(muster.folder / "customers.csv", [person(1), person(2, "Refused")])
    muster("run", path)
    mended = written(muster.folder / "mended.csv", [person(1, phone="27824999999"), person(2)])
    second = muster("run", mended)
    assert second.code == 1  # the target still has the phone that was sent
    assert all(each["ok"] for each in totals(second).values())
    assert totals(second)["rows that the ledger knows with other data"]["file"] == 1
    first = muster("report", "run-1")
    assert first.code == 1
    assert muster("verify", "run-1").code == 0


def test_totals_close_over_every_outcome(muster: Muster, sandbox: Sandbox, hasty: None) -> None:
    ended = every_outcome(muster, sandbox)
    assert [name for name, each in totals(ended).items() if not each["ok"]] == []
    resumed = muster("resume")
    assert [name for name, each in totals(resumed).items() if not each["ok"]] == []
