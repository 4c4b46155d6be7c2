"""The whole migration: what is open over all runs, what people closed, what is new, and how it is gone on with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, lines
from .people import Row, people, person, written

Filed = Callable[[list[Row]], Path]
ROWS = [person(1), person(2, phone="1"), person(3, "Refused"), person(4, "Kycfail"), person(5, "Kycstuck")]


@pytest.fixture
def ended(muster: Muster, file_of: Filed) -> Ended:
    """One night: onboarded, quarantined, rejected, declined, pending."""
    return muster("run", file_of(ROWS), "--decision-wait", "0.2")


def opened(muster: Muster) -> dict[str, Any]:
    """What `muster open` knows."""
    return dict(json.loads(muster("open", "--output", "json").stdout))


def causes(found: dict[str, Any]) -> dict[str, int]:
    """Rows by outcome."""
    return {group["outcome"]: group["rows"] for group in found["open"]}


def test_what_is_open_is_listed_by_cause_with_owner_and_command(muster: Muster, ended: Ended) -> None:
    found = opened(muster)
    groups = {group["outcome"]: group for group in found["open"]}

    assert causes(found) == {"quarantined": 1, "rejected": 1, "declined": 1, "pending": 1}
    assert groups["pending"]["next_commands"] == ["muster resume run-1"]
    assert groups["declined"]["next_commands"] == ["muster kyc run-1 --retrigger"]
    assert groups["quarantined"]["next_commands"][0].startswith("muster mend run-1 --to ")
    assert (groups["rejected"]["owner"], groups["rejected"]["examples"]) == (
        "sender",
        [{"run_id": "run-1", "source_row": 3}],
    )
    shown = muster("open").stdout
    assert "eclipse, tenant" in shown
    assert "4 rows open" in shown


def test_a_corrected_row_and_one_that_another_file_completed_are_open_no_more(muster: Muster, ended: Ended) -> None:
    muster("mend", "run-1", "--to", "mended.csv", "--outcome", "quarantined")
    [row] = lines(muster.folder / "mended.csv")
    muster("run", written(muster.folder / "mended.csv", [row | {"phone": "27824000002", "row_ref": "OTHER"}]))
    muster("run", written(muster.folder / "third.csv", [person(3)]))

    assert causes(opened(muster)) == {"declined": 1, "pending": 1}


def test_a_person_closes_rows_until_a_day_and_with_a_name(muster: Muster, ended: Ended) -> None:
    closed = muster(
        "close", "run-1", "--rows", "2,4", "--as", "known", "--reason", "left 8001015009087", "--by", "Thandi"
    )
    muster("close", "run-1", "--outcome", "pending", "--as", "waiting", "--reason", "bank", "--until", "2999-01-01")

    assert closed.code == 0
    assert causes(opened(muster)) == {"rejected": 1}
    told = json.loads(muster("open", "--closed", "--output", "json").stdout)["closed"]
    assert [(row["source_row"], row["as"], row["decided_by"]) for row in told][:2] == [
        (2, "known", "Thandi"),
        (4, "known", "Thandi"),
    ]
    assert "8001015009087" not in json.dumps(told)
    muster("close", "run-1", "--rows", "2", "--as", "open", "--reason", "came back", "--by", "Thandi")
    assert causes(opened(muster)) == {"rejected": 1, "quarantined": 1}
    assert muster("close", "run-1", "--rows", "1", "--as", "known", "--reason", "x").code == 2
    assert muster("close", "run-1", "--as", "known", "--reason", "x").code == 2


def test_a_run_tells_what_is_new_from_what_stood_and_what_was_closed(muster: Muster, file_of: Filed) -> None:
    rows = [person(1), person(2, phone="1"), person(3, "Refused")]
    first = muster("run", file_of(rows))
    muster("close", "run-1", "--rows", "2", "--as", "known", "--reason", "known", "--by", "x")
    more = written(muster.folder / "next.csv", [*rows, person(9, email="no")])

    second = muster("run", more)
    third = muster("run", more, "--fail-on", "new")
    muster("close", "run-3", "--outcome", "quarantined,rejected", "--as", "known", "--reason", "known", "--by", "x")
    fourth = muster("run", more)

    assert first.summary["new"] == {"quarantined": 1, "rejected": 1}
    assert (second.summary["new"], second.summary["standing"], second.summary["closed"]) == (
        {"quarantined": 1},
        1,
        {"quarantined": 1},
    )
    assert (second.code, third.code, fourth.code) == (1, 0, 0)
    assert third.summary["new"] == {}
    assert "Since the last run" in second.stdout
    before = (second.folder / "summary.json").read_bytes()
    assert muster("report", "run-2").code == 1
    assert (second.folder / "summary.json").read_bytes() == before


@pytest.mark.slow
def test_all_that_can_go_on_goes_on_though_one_file_is_gone(muster: Muster, sandbox: Sandbox) -> None:
    for number, name in enumerate(("a", "b", "c")):
        muster("run", written(muster.folder / f"{name}.csv", people(2, first=10 * number + 1)), "--limit", "1")
    (muster.folder / "b.csv").unlink()

    again = muster("resume", "--all", "--output", "json", "--run-id", "x")
    assert again.code == 2
    again = muster.plain("resume", "--all", "--output", "json")

    said = json.loads(again.stdout)
    assert [run["outcomes"]["onboarded"] for run in said["runs"]] == [1, 1]
    assert [run["run_id"] for run in said["failed"]] == ["run-2"]
    assert (again.code, said["error"]["exit_code"]) == (2, 2)
    assert causes(opened(muster)) == {"not_attempted": 1}


def test_going_on_with_all_says_at_night_what_a_person_needs(muster: Muster, ended: Ended) -> None:
    again = muster.plain("resume", "--all", "-q")

    assert (again.stdout, again.code) == ("", 1)
    assert "ended with 1: finished, but rows need attention" in again.stderr
    assert "\nnext: muster " in again.stderr


@pytest.mark.slow
def test_a_batch_is_closed_when_nothing_of_it_is_open(muster: Muster, ended: Ended) -> None:
    muster("run", written(muster.folder / "good.csv", [person(20)]))

    good = muster("status", "good.csv", "--output", "json")
    bad = json.loads(muster("status", "customers.csv", "--output", "json").stdout)

    assert json.loads(good.stdout)["state"] == "closed"
    assert "4 rows open" in muster("status", ended.summary["input"]["sha256"][:12]).stdout
    assert (bad["state"], bad["rows"]) == ("open", 4)
