"""Rows that a person has to correct come back whole, outside the run's folder, and lead on to what became of them."""

import csv
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.ledger import tables
from jobs.ledger.store import Store
from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, lines
from .people import Row, person, record, written

Filed = Callable[[list[Row]], Path]
ROWS = [person(1), person(2, phone="1"), person(3, "Refused", note=' "a", b'), person(4, "Kycfail"), person(5)]


@pytest.fixture
def ended(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    """Five rows: onboarded, quarantined, rejected, declined, conflict."""
    sandbox.plant(**record(person(5), externalUniqueId="cust-of-another"))
    ended = muster("run", file_of(ROWS))
    assert ended.outcomes == ["onboarded", "quarantined", "rejected", "declined", "conflict"]
    return ended


def test_rows_that_need_attention_come_back_as_they_came_with_a_sentence(muster: Muster, ended: Ended) -> None:
    mended = muster("mend", "run-1", "--to", "mended.csv")

    given = lines(muster.folder / "customers.csv")
    found = lines(muster.folder / "mended.csv")
    assert mended.code == 0
    assert [{name: row[name] for name in given[0]} for row in found] == given[1:]
    assert list(found[0]) == [*given[0], "_reasons"]
    ends = ["2: quarantined", "3: rejected", "4: declined", "5: conflict"]
    assert [row["_reasons"].split(", ")[1] for row in found] == [f"row {end}" for end in ends]
    assert all(row["_reasons"].startswith("run run-1, row ") and row["_reasons"].endswith(".") for row in found)
    assert stat.S_IMODE((muster.folder / "mended.csv").stat().st_mode) == 0o600
    assert "muster run mended.csv" in mended.stdout
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_only_the_outcomes_that_were_named_come_back(muster: Muster, ended: Ended) -> None:
    muster("mend", "run-1", "--to", "mended.csv", "--outcome", "rejected,declined")

    assert [row["row_ref"] for row in lines(muster.folder / "mended.csv")] == ["CRM-000003", "CRM-000004"]
    assert muster("mend", "run-1", "--to", "none.csv", "--outcome", "failed").code == 0
    assert not (muster.folder / "none.csv").exists()
    assert "did you mean 'rejected'" in muster("mend", "run-1", "--to", "x.csv", "--outcome", "reject").stderr


@pytest.mark.few(1)
@pytest.mark.parametrize("place", ["runs/run-1/mended.csv", "runs/run-1/../run-1/deep.csv", "runs/other/x.csv"])
def test_nothing_is_written_into_the_folder_of_a_run(muster: Muster, ended: Ended, place: str) -> None:
    refused = muster("mend", "run-1", "--to", place)

    assert refused.code == 2
    assert "evidence" in refused.stderr
    assert muster("verify", "run-1").code == 0


def test_a_file_that_somebody_may_have_worked_on_is_not_written_over(muster: Muster, ended: Ended) -> None:
    (muster.folder / "mended.csv").write_text("mine")

    assert muster("mend", "run-1", "--to", "mended.csv").code == 2
    assert (muster.folder / "mended.csv").read_text() == "mine"


def test_corrected_rows_go_on_and_the_books_say_which_row_each_was(
    muster: Muster, sandbox: Sandbox, ended: Ended
) -> None:
    muster("mend", "run-1", "--to", "mended.csv", "--outcome", "quarantined,rejected")
    rows = lines(muster.folder / "mended.csv")
    rows[0]["phone"], rows[1]["last_name"] = "27824000002", "Nkosi"

    again = muster("run", written(muster.folder / "mended.csv", rows))

    assert again.outcomes == ["onboarded", "onboarded"]
    assert [row["mended_from"] for row in again.rows] == ["run-1:2", "run-1:3"]
    assert "echo_hash" in again.rows[0]
    with Store.opened("sqlite:///muster.db") as store, store.engine.connect() as connection:
        assert connection.execute(select(tables.lineage)).all() == [("run-2", 1, "run-1", 2), ("run-2", 2, "run-1", 3)]
    before = (again.folder / "outcome.csv").read_bytes()
    muster("report", "run-2")
    assert (again.folder / "outcome.csv").read_bytes() == before
    assert muster("verify", "run-2").code == 0


@pytest.mark.slow
def test_a_row_that_says_it_is_of_an_unknown_run_is_a_row_like_any_other(muster: Muster, file_of: Filed) -> None:
    ended = muster("run", file_of([person(1, _reasons="run elsewhere, row 1: rejected, no.")]))

    assert ended.outcomes == ["onboarded"]
    with Store.opened("sqlite:///muster.db") as store, store.engine.connect() as connection:
        assert connection.execute(select(tables.lineage)).all() == []


@pytest.mark.slow
def test_the_dialect_of_the_input_is_that_of_the_mended_file(muster: Muster) -> None:
    rows = [person(1, "Müller"), person(2, "Çelik", phone="1", note="é;x")]
    path = muster.folder / "export.csv"
    with path.open("w", newline="", encoding="cp1252") as file:
        file.write("exported by CRM\n")
        writer = csv.DictWriter(file, [*rows[1]], delimiter=";", restval="")
        writer.writeheader()
        writer.writerows(rows)
    muster("run", path, "--encoding", "cp1252", "--skip-lines", "1")

    mended = muster("mend", "run-1", "--to", "mended.csv")

    with (muster.folder / "mended.csv").open(encoding="cp1252", newline="") as file:
        [found] = csv.DictReader(file, delimiter=";")
    assert {name: found[name] for name in rows[1]} == rows[1]
    assert "muster run mended.csv --encoding cp1252\n" in mended.stdout
    again = muster("run", "mended.csv", "--encoding", "cp1252")
    assert again.counts == {"quarantined": 1}


def test_rows_open_to_a_decision_are_listed_as_a_file_of_decisions(muster: Muster, ended: Ended) -> None:
    said = muster("report", "run-1", "--decisions-template")
    (muster.folder / "decisions.csv").write_text(said.stdout)

    [line] = lines(muster.folder / "decisions.csv")
    assert (line["row"], line["decision"], line["customer_id"]) == ("5", "leave", "")
    assert "conflict" in line["reason"]
    assert muster("resume", "run-1", "--decisions", "decisions.csv").outcomes == [
        *("already_onboarded", "quarantined", "rejected", "declined", "conflict")
    ]
    assert [step["command"].split()[1] for step in ended.summary["next_steps"]] == ["mend", "report", "kyc"]
