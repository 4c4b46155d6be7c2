"""Who was in the file, and how what is personal goes again while the evidence still verifies."""

import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from jobs.evidence.events import read_events
from jobs.ledger import tables
from jobs.ledger.packed import unpack_all
from schemas.outcome import OUTCOME
from schemas.reconciliation import RECONCILIATION
from schemas.report_column import Personal, ReportColumn, personal

from .muster import Ended, Muster, arrivals, writes
from .people import Row, person
from .test_leaks import contents, leaks

Filed = Callable[[list[Row]], Path]
Asked = Callable[..., Ended]

ROWS = [
    person(1, note="a remark"),
    person(2, "Kycfail"),
    person(3, phone="1", note="x"),
    person(4, "Nowallet"),
    {**person(5), "row_ref": ""},
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs lie, made once."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def ended(muster: Muster, file_of: Filed, kept: Path) -> Ended:
    """Two runs over one file; the second one's folder."""
    if not (kept / "all").exists():
        path = file_of(ROWS)
        muster("run", path)
        muster("run", path)
        muster("reconcile", "run-2")
        shutil.copytree(muster.folder, kept / "all")
    shutil.copytree(kept / "all", muster.folder, dirs_exist_ok=True)
    muster.runs = 2
    return Ended(1, "", "", muster.folder / "runs" / "run-2")


@pytest.fixture
def asked(muster: Muster, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A command that is given an identity number on stdin."""

    def ask(number: str, *arguments: str) -> Ended:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{number}\n"))
        return muster(*arguments)

    return ask


def left(muster: Muster) -> dict[str, bytes]:
    """All that lies in the working directory but the input."""
    told = {}
    for path in sorted(path for path in muster.folder.rglob("*") if path.is_file() and path.suffix != ".csv"):
        for number, content in enumerate(contents(path)):
            told[f"{path.relative_to(muster.folder)}#{number}"] = content
    for path in (muster.folder / "runs").rglob("*.csv"):
        told[str(path.relative_to(muster.folder))] = path.read_bytes()
    return told


def both_verify(muster: Muster, folder: Path) -> None:
    packed = [sys.executable, "-I", "-S", "verify.py", "--batch"]
    done = subprocess.run(packed, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    own = muster("verify", folder.name, "--batch")
    assert own.code == 0, own.stdout
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False).returncode == 0


def test_a_person_in_the_file_is_found_with_outcome_and_row(asked: Asked, ended: Ended) -> None:
    for number, row in enumerate(ROWS, start=1):
        identity = row["national_id"]
        answer = asked(f"{identity[:6]} {identity[6:]}", "report", "run-2", "--prove", "-", "--output", "json")
        document = json.loads(answer.stdout)
        assert (answer.code, document["found"]) == (0, True)
        assert [(each["source_row"], each["outcome"]) for each in document["rows"]] == [
            (number, ended.outcomes[number - 1])
        ]
        assert identity not in answer.stdout + answer.stderr


def test_a_stranger_is_not_found_and_an_argument_is_refused(asked: Asked, ended: Ended) -> None:
    assert asked(person(99)["national_id"], "report", "run-1", "--prove", "-").code == 1
    refused = asked("", "report", "run-1", "--prove", ROWS[0]["national_id"])
    assert refused.code == 2
    assert ROWS[0]["national_id"] not in refused.stderr
    assert asked("", "report", "run-1", "--prove", "-").code == 2


def test_purged_runs_show_nobody_and_still_verify(muster: Muster, asked: Asked, ended: Ended) -> None:
    assert muster("purge", "--older-than", "0").code == 0
    names = {path.name for path in ended.folder.iterdir()}
    assert not names & {"quarantine.csv", "report.html", "report.xlsx", "report.md"}
    values = {value: column for row in ROWS for column, value in row.items() if len(value) > 7}
    masked = {line[name]: name for line in ended.rows for name in ("phone_masked", "national_id_masked") if line[name]}
    assert leaks(left(muster), values) == []
    assert masked == {}
    assert [row["outcome"] for row in ended.rows] == ended.outcomes
    both_verify(muster, ended.folder)
    assert asked(ROWS[0]["national_id"], "report", "run-1", "--prove", "-").code == 1
    assert muster("report", "run-1").code == 2


def test_the_manifest_tells_what_was_erased_when_and_by_whom(muster: Muster, ended: Ended) -> None:
    muster("purge", "--older-than", "0")
    note = json.loads((ended.folder / "manifest.json").read_bytes())["erasures"][0]
    assert note["what"] == "purge"
    assert note["rows"] == len(ROWS)
    assert note["at"]
    assert note["by"]
    assert {each["name"] for each in note["removed"]} >= {"quarantine.csv", "report.html"}
    assert all(len(each["sha256"]) == 64 for each in note["removed"])


@pytest.mark.slow
def test_young_runs_are_left_alone_and_a_second_purge_does_nothing(muster: Muster, ended: Ended) -> None:
    before = {path: path.read_bytes() for path in (muster.folder / "runs").rglob("*") if path.is_file()}
    assert muster("purge", "--older-than", "1").stdout.startswith("0 runs")
    assert {path: path.read_bytes() for path in before} == before
    assert muster("purge", "--older-than", "0").stdout.startswith("2 runs")
    assert muster("purge", "--older-than", "0").stdout.startswith("0 runs")


@pytest.mark.slow
def test_a_purged_file_can_be_run_again_and_changes_nothing_at_the_target(muster: Muster, file_of: Filed) -> None:
    path = file_of([person(1), person(2)])
    muster("run", path)
    muster("purge", "--older-than", "0")
    calls = arrivals(muster.sandbox)
    again = muster("run", path)
    assert again.outcomes == ["already_onboarded"] * 2
    assert writes(muster.sandbox, calls) == []
    assert muster("verify", "run-2", "--batch").code == 0


@pytest.mark.few(2)
@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_forgotten_person_leaves_no_trace_and_others_stay(
    muster: Muster, asked: Asked, ended: Ended, number: int
) -> None:
    row = ROWS[number - 1]
    lines = [line for line in ended.rows if line["source_row"] == str(number)]
    assert asked(row["national_id"], "forget", "--subject", "-").code == 0
    traces = {row["national_id"]: "identity", row["email"]: "e-mail"}
    traces |= {lines[0][name]: name for name in ("external_unique_id", "customer_id", "wallet_id") if lines[0][name]}
    found = [each for each in leaks(left(muster), traces) if "runs" in each or "muster.db" in each]
    assert found == []
    assert asked(row["national_id"], "report", "run-1", "--prove", "-").code == 1
    other = ROWS[1]["national_id"]
    assert asked(other, "report", "run-1", "--prove", "-").code == 0
    both_verify(muster, ended.folder)
    assert asked(row["national_id"], "forget", "--subject", "-").code == 1


def test_an_unfinished_person_is_not_forgotten(muster: Muster, asked: Asked, file_of: Filed) -> None:
    muster("run", file_of([person(1, "Kycstuck")]))
    refused = asked(person(1)["national_id"], "forget", "--subject", "-")
    assert refused.code == 2
    assert "resume" in refused.stderr


def test_nothing_is_left_in_free_pages_or_the_log_of_the_database(muster: Muster, asked: Asked, ended: Ended) -> None:
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        pseudonyms = {unpack_all(each)["national_id"] for (each,) in ledger.execute("SELECT pseudonyms FROM record")}
    ledger.close()
    muster("purge", "--older-than", "0")
    raw = b"".join(path.read_bytes() for path in muster.folder.glob("muster.db*"))
    assert len(pseudonyms) == 4
    assert [each for each in pseudonyms if each.encode() in raw or bytes.fromhex(each) in raw] == []


def test_an_edit_after_a_purge_is_found_like_before(muster: Muster, ended: Ended) -> None:
    muster("purge", "--older-than", "0")
    for name in ("manifest-1.json", "outcome.csv", "manifest.json"):
        path = ended.folder / name
        content = path.read_bytes()
        path.write_bytes(content.replace(b"e", b"f", 1))
        assert muster("verify", ended.folder).code == 7, name
        path.write_bytes(content)
    (ended.folder / "reconciliation.csv").unlink()
    assert muster("verify", ended.folder).code == 7


ERASING = {"purge": ("purge", "--older-than", "0"), "forget": ("forget", "--subject", "-")}


def in_ledger(muster: Muster, table: str, column: str) -> set[object]:
    """The values of a column that the ledger holds for the first row of the first run."""
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        told = ledger.execute(
            f"SELECT {column} FROM {table} WHERE source_row = 1 AND run_id ="
            " (SELECT run_no FROM run WHERE run_id = 'run-1')"
        )
        return {value for (value,) in told}


def statuses(ended: Ended) -> list[object]:
    """The HTTP status of each event about the first row of the first run that still tells one."""
    events = read_events(ended.folder.parent / "run-1" / "events.ndjson")
    return [each["http_status"] for each in events if each.get("source_row") == 1 and "http_status" in each]


def in_tables(ended: Ended, name: str, column: str) -> set[object]:
    """The values of a column in the first row of a table of the run, and of its later comparison."""
    folders = [ended.folder, *ended.folder.glob("reconcile-*")]
    found = [folder / f"{name}.parquet" for folder in folders if (folder / f"{name}.parquet").exists()]
    assert found
    read = (pl.read_parquet(table).filter(pl.col("source_row") == 1)[column].to_list() for table in found)
    return {value for values in read for value in values}


@pytest.mark.few(2)
@pytest.mark.parametrize("way", ERASING)
@pytest.mark.parametrize("marked", ["showing", "identifying"])
def test_a_column_that_becomes_personal_is_erased_from_ledger_and_files(
    muster: Muster, asked: Asked, ended: Ended, monkeypatch: pytest.MonkeyPatch, marked: Personal, way: str
) -> None:
    monkeypatch.setitem(OUTCOME, "decision_status", ReportColumn(pl.String(), marked))
    monkeypatch.setitem(RECONCILIATION, "read_at", ReportColumn(pl.String(), marked))
    monkeypatch.setitem(tables.event.c.http_status.info, "personal", marked)
    assert statuses(ended)
    assert None not in in_tables(ended, "outcome", "decision_status") | in_tables(ended, "reconciliation", "read_at")
    assert asked(ROWS[0]["national_id"], *ERASING[way]).code == 0
    goes = marked == "showing" or way == "forget"
    assert (in_ledger(muster, "outcome", "decision_status") == {None}) is goes
    assert (in_ledger(muster, "event", "http_status") == {None}) is goes
    assert (in_tables(ended, "outcome", "decision_status") == {None}) is goes
    assert (in_tables(ended, "reconciliation", "read_at") == {None}) is goes
    assert (statuses(ended) == []) is goes
    both_verify(muster, ended.folder)


@pytest.mark.few(1)
@pytest.mark.parametrize("way", ERASING)
def test_what_a_schema_calls_personal_goes_and_all_else_stays(
    muster: Muster, asked: Asked, ended: Ended, way: str
) -> None:
    def shown(columns: Mapping[str, ReportColumn], name: str) -> dict[str, set[object]]:
        return {column: in_tables(ended, name, column) for column in columns}

    reports = {"outcome": OUTCOME, "reconciliation": RECONCILIATION}
    before = {name: shown(columns, name) for name, columns in reports.items()}
    assert asked(ROWS[0]["national_id"], *ERASING[way]).code == 0
    for name, columns in reports.items():
        gone = personal(columns, forgotten=way == "forget")
        wanted = before[name] | {column: {None} for column in gone}
        assert gone
        assert shown(columns, name) == wanted
