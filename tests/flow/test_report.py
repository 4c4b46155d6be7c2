"""Reports come from the ledger and can be made again; the evidence shows every change made afterwards."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from jobs.evidence.events import read_events
from jobs.intake.preflight import preflight
from jobs.sandbox.server import Sandbox
from schemas import customers

from .muster import REPOSITORY, Ended, Muster, lines
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]

MIXED = [person(1), person(2, "Kycfail"), person(3, "Kycstuck"), person(4, phone="1"), person(5, branch="Durban")]


@pytest.fixture
def ended(muster: Muster, file_of: Filed) -> Ended:
    return muster("run", file_of(MIXED))


def test_a_report_made_again_is_the_same(muster: Muster, sandbox: Sandbox, ended: Ended) -> None:
    names = (
        *("outcome.csv", "quarantine.csv", "reconciliation.csv", "events.ndjson", "summary.json"),
        *("report.html", "report.md", "report.xlsx"),
    )
    before = {name: (ended.folder / name).read_bytes() for name in names}
    (ended.folder / "outcome.csv").unlink()
    calls = len(sandbox.journal())
    again = muster("report", "run-1")
    assert again.code == ended.code
    for name in names:
        assert (ended.folder / name).read_bytes() == before[name], name
    assert len(sandbox.journal()) == calls
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_a_report_is_made_again_whatever_its_sentences_are_called_by_then(
    muster: Muster, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ended.summary
    monkeypatch.setattr("jobs.publishing.books.INTENTS_SENT", "intended = sent")
    assert muster("report", "run-1").code == ended.code
    named = [dict(each, name="intended = sent") if "mutating" in each["name"] else each for each in before["equations"]]
    assert ended.summary == {**before, "equations": named}


@pytest.mark.few(1)
@pytest.mark.parametrize("command", ["report", "resume", "retry"])
@pytest.mark.parametrize("gone", [False, True], ids=["changed", "gone"])
def test_a_changed_input_ends_with_2(muster: Muster, sandbox: Sandbox, ended: Ended, command: str, gone: bool) -> None:
    path = muster.folder / "customers.csv"
    path.unlink() if gone else path.write_text(path.read_text().replace("Thandi", "Sipho", 1))
    before = len(sandbox.journal())
    refused = muster(command, "run-1")
    assert refused.code == 2
    assert "customers.csv" in refused.stderr
    assert len(sandbox.journal()) == before


@pytest.mark.slow
def test_evidence_verifies_and_one_flipped_byte_is_found(muster: Muster, ended: Ended) -> None:
    assert muster("verify", "run-1").code == 0
    for path in sorted(path for path in ended.folder.iterdir() if path.is_file()):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        original = path.read_bytes()
        path.write_bytes(bytes(content))
        assert muster("verify", "run-1").code == 7, path.name
        path.write_bytes(original)
    assert muster("verify", "run-1").code == 0


def test_all_that_a_run_leaves_is_private(muster: Muster, ended: Ended) -> None:
    left = [ended.folder, *ended.folder.rglob("*"), *muster.folder.glob("muster.db*"), ended.folder.parent]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in left}
    wrong = {
        path.name: oct(modes[path.name]) for path in left if modes[path.name] != (0o700 if path.is_dir() else 0o600)
    }
    assert wrong == {}


def test_a_run_leaves_the_files_of_the_contract_and_nothing_else(muster: Muster, ended: Ended) -> None:
    assert {path.name for path in ended.folder.iterdir()} == {
        "outcome.csv",
        "outcome.parquet",
        "quarantine.csv",
        "quarantine.xlsx",
        "reconciliation.csv",
        "reconciliation.parquet",
        "summary.json",
        "report.html",
        "report.md",
        "report.xlsx",
        "events.ndjson",
        "manifest.json",
        "SHA256SUMS",
        "verify.py",
        "README-AUDITOR.md",
    }
    assert {path.name for path in (muster.folder / "runs").iterdir()} == {"run-1"}


def test_the_page_of_files_names_every_equation(ended: Ended) -> None:
    page = (REPOSITORY / "docs" / "files.md").read_text(encoding="utf-8").partition("| equation | left | right |")[2]
    named = {line.split("|")[1].strip() for line in page.split("\n\n")[0].splitlines()[2:]}
    assert {each["name"] for each in ended.summary["equations"]} == named


def test_json_is_one_document_on_stdout(muster: Muster, file_of: Filed) -> None:
    ended = muster.process("run", file_of(people(2)), "--output", "json")
    document = json.loads(ended.stdout)
    assert document["schema_version"] == 1
    assert document == ended.summary
    assert ended.code == 0


def test_events_tell_the_whole_story(muster: Muster, ended: Ended) -> None:
    events = list(read_events(ended.folder / "events.ndjson"))
    kinds = [event["kind"] for event in events]
    assert (kinds[0], kinds[-1]) == ("run_start", "run_end")
    assert kinds.count("outcome") == len(MIXED)
    assert kinds.count("intent") == ended.summary["requests"]["mutating"] == sum(int(r["attempts"]) for r in ended.rows)


@pytest.mark.slow
def test_each_run_has_a_folder_and_leaves_earlier_ones_alone(muster: Muster, ended: Ended) -> None:
    before = {path.name: path.read_bytes() for path in ended.folder.iterdir()}
    again = muster("run", muster.folder / "customers.csv")
    assert again.folder != ended.folder
    assert {path.name: path.read_bytes() for path in ended.folder.iterdir()} == before


def test_a_run_id_is_used_once(muster: Muster, sandbox: Sandbox, ended: Ended) -> None:
    before = len(sandbox.journal())
    again = muster("run", muster.folder / "customers.csv", "--run-id", "run-1")
    assert again.code == 2
    assert len([entry for entry in sandbox.journal(before) if entry["operation"] != "login"]) == 0
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_a_run_of_when_blank_lines_were_rows_is_reported_and_compared_by_its_own_numbers(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(people(3))
    first, *others = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([first, others[0], "\n", *others[1:], "\n"]), encoding="utf-8")
    with monkeypatch.context() as then:
        then.setattr("jobs.batch.preflight", lambda path, **given: preflight(path, **{**given, "before": True}))
        old = muster("run", path)
    assert old.outcomes == ["onboarded", "quarantined", "onboarded", "onboarded"]
    before = {name: (old.folder / name).read_bytes() for name in ("outcome.csv", "quarantine.csv", "summary.json")}

    assert muster("report", "run-1").code == old.code
    assert {name: (old.folder / name).read_bytes() for name in before} == before
    sandbox.amend("customers", int(old.rows[3]["customer_id"]), email="another@example.org")
    again = muster("reconcile", "run-1")
    found = lines(next(old.folder.glob("reconcile-*")) / "reconciliation.csv")
    assert again.code == 1
    assert [(line["source_row"], line["class"]) for line in found] == [
        ("1", "match"),
        ("2", "not_sent"),
        ("3", "match"),
        ("4", "field_difference"),
    ]
    assert muster("run", path).outcomes == ["already_onboarded"] * 3


@pytest.mark.slow
def test_a_row_that_was_sent_and_would_be_refused_now_is_read_again_all_the_same(
    muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of([person(1), person(2, title="#N/A")])
    with monkeypatch.context() as then:
        then.setattr(customers, "_undamaged", lambda _: pl.lit(value=True))
        old = muster("run", path)
    assert old.outcomes == ["onboarded"] * 2, old.rows

    muster("reconcile", "run-1")
    found = lines(next(old.folder.glob("reconcile-*")) / "reconciliation.csv")
    assert [line["class"] for line in found] == ["match", "match"]
