"""Nobody is left behind: other values than the number, refused rows, folders that were never sealed, kills."""

import hashlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.alive import Process
from jobs.os_user import os_user

from .muster import Ended, Muster
from .people import Row, person
from .test_leaks import leaks
from .test_privacy import both_verify, left

Filed = Callable[[list[Row]], Path]
Asked = Callable[..., Ended]

MISTYPED = {**person(1), "national_id": "12", "row_ref": "CRM-other"}
"""The first person once more, with a number that is none: refused, and theirs by phone and e-mail."""

ROWS = [person(1), person(2, "Kycfail"), MISTYPED, person(4)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run lies, made once."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def ended(muster: Muster, file_of: Filed, kept: Path) -> Ended:
    if not (kept / "all").exists():
        muster("run", file_of(ROWS))
        shutil.copytree(muster.folder, kept / "all")
    shutil.copytree(kept / "all", muster.folder, dirs_exist_ok=True)
    muster.runs = 1
    return Ended(1, "", "", muster.folder / "runs" / "run-1")


@pytest.fixture
def asked(muster: Muster, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A command that is given a value on stdin."""

    def ask(value: str, *arguments: str | Path) -> Ended:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{value}\n"))
        return muster(*arguments)

    return ask


@pytest.mark.few(2)
@pytest.mark.parametrize("by", ["identity", "phone", "email", "reference"])
def test_a_person_is_forgotten_by_any_value_and_their_refused_row_goes_too(
    muster: Muster, asked: Asked, ended: Ended, by: str
) -> None:
    column = {"identity": "national_id", "reference": "row_ref"}.get(by, by)
    mine = [line for line in ended.rows if line["source_row"] in {"1", "3"}]
    done = asked(ROWS[0][column], "forget", "--subject", "-", "--by", by, "--output", "json")
    assert (done.code, json.loads(done.stdout)["rows"]) == (0, 2), done.stderr
    traces = {ROWS[0]["national_id"]: "identity", ROWS[0]["email"]: "e-mail", ROWS[0]["phone"]: "phone"}
    traces |= {line["external_unique_id"]: "key" for line in mine}
    found = [each for each in leaks(left(muster), traces) if "customers.csv" not in each]
    assert found == []
    both_verify(muster, ended.folder)
    assert asked(ROWS[1]["national_id"], "report", "run-1", "--prove", "-").code == 0


def test_a_stranger_is_not_forgotten_by_any_value(asked: Asked, ended: Ended) -> None:
    stranger = person(77)
    for by, column in {"phone": "phone", "email": "email", "reference": "row_ref"}.items():
        assert asked(stranger[column], "forget", "--subject", "-", "--by", by).code == 1, by
    assert asked("no phone", "forget", "--subject", "-", "--by", "phone").code == 2


def test_what_the_target_told_of_a_person_and_what_people_said_of_a_row_goes_too(
    muster: Muster, asked: Asked, ended: Ended
) -> None:
    hers, other = (line["customer_id"].upper() for line in (ended.rows[0], ended.rows[1]))
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        for number, customer in enumerate((hers, other)):
            told = (1, f"{number:064}", customer.lower(), "Approved", 0)
            columns = "space_id, digest, customer_id, state, received_ms"
            ledger.execute(f"INSERT INTO notice ({columns}) VALUES (?, ?, ?, ?, ?)", told)
    ledger.close()
    muster("close", "run-1", "--rows", "3", "--as", "known", "--reason", "her aunt rang", "--by", "Sipho")
    assert asked(ROWS[0]["national_id"], "forget", "--subject", "-").code == 0

    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        assert ledger.execute("SELECT customer_id FROM notice").fetchall() == [(other.lower(),)]
        said = ledger.execute("SELECT reason, decided_by FROM disposition ORDER BY disposition_id").fetchall()
        assert said == [("erased", "Sipho"), ("the person was forgotten", os_user())]
    ledger.close()


def test_nobody_has_to_act_upon_a_row_of_a_forgotten_person_and_it_is_not_given_back(
    muster: Muster, asked: Asked, ended: Ended
) -> None:
    def open_rows() -> dict[str, int]:
        return {each["outcome"]: each["rows"] for each in json.loads(muster("open", "--output", "json").stdout)["open"]}

    assert open_rows() == {"declined": 1, "quarantined": 1}
    for person_ in (ROWS[0], ROWS[1]):
        assert asked(person_["national_id"], "forget", "--subject", "-").code == 0
    assert open_rows() == {}

    assert muster("mend", "run-1", "--to", "again.csv").code == 0
    mended = muster("mend", "run-1", "--to", "complete.csv", "--outcome", "onboarded")
    text = (muster.folder / "again.csv").read_text()
    assert [row["email"] for row in ROWS if row["email"] in text] == []
    text = (muster.folder / "complete.csv").read_text()
    assert [row["email"] for row in ROWS if row["email"] in text] == [ROWS[3]["email"]]
    assert "1  left out: these persons were forgotten" in mended.stdout
    muster("purge", "--older-than", "0")
    assert open_rows() == {}


@pytest.mark.parametrize("way", [("purge", "--older-than", "0"), ("forget", "--subject", "-")])
def test_the_folder_of_a_run_that_was_cut_short_is_erased_too(
    muster: Muster, asked: Asked, ended: Ended, way: tuple[str, ...]
) -> None:
    for name in ("manifest.json", "SHA256SUMS"):
        (ended.folder / name).unlink()
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        facts = json.loads(ledger.execute("SELECT facts FROM run").fetchone()[0])
        facts.pop("manifests")
        ledger.execute("UPDATE run SET facts = ?, ended_ms = NULL, summary = NULL", (json.dumps(facts),))
    ledger.close()
    assert asked(ROWS[0]["national_id"], *way).code == 0
    if way[0] == "purge":
        assert not (ended.folder / "quarantine.csv").exists()
        assert {row["phone_masked"] for row in ended.rows} == {""}
    traces = {ROWS[0][name]: name for name in ("national_id", "email", "phone")}
    assert [each for each in leaks(left(muster), traces) if "customers.csv" not in each] == []


def test_whatever_command_comes_next_sweeps_what_a_killed_one_left(muster: Muster, ended: Ended) -> None:
    child = os.fork()
    if child == 0:
        (muster.folder / "runs" / f".work-{Process.me().tag}_0badcafe").mkdir(mode=0o700)
        os._exit(0)
    os.waitpid(child, 0)
    ours = muster.folder / "runs" / f".work-{Process.me().tag}_0badcafe"
    ours.mkdir(mode=0o700)
    assert muster("runs").code == 0
    assert list((muster.folder / "runs").glob(".work-*")) == [ours]


@pytest.mark.few(1)
@pytest.mark.parametrize("place", ["runs", "elsewhere"])
def test_what_a_killed_run_left_on_its_way_is_swept(muster: Muster, asked: Asked, ended: Ended, place: str) -> None:
    """Also where an earlier run had its files on the way, which the ledger knows."""
    if place == "elsewhere":
        muster("run", muster.folder / "customers.csv", "--work", place)
        assert not (muster.folder / place).exists()  # as it was before
        (muster.folder / place).mkdir()
    child = os.fork()
    if child == 0:  # a process that is dead when its workspace is looked at
        folder = muster.folder / place / f".work-{Process.me().tag}_0badcafe"
        folder.mkdir(mode=0o700)
        (folder / "staged").write_text(ROWS[3]["national_id"])
        os._exit(0)
    os.waitpid(child, 0)
    assert list((muster.folder / place).glob(".work-*"))
    assert asked(ROWS[3]["national_id"], "forget", "--subject", "-").code == 0
    assert list((muster.folder / place).glob(".work-*")) == []


def test_a_run_whose_folder_was_away_is_not_marked_as_purged(muster: Muster, ended: Ended) -> None:
    away = muster.folder / "away"
    shutil.move(ended.folder, away)
    first = muster("purge", "--older-than", "0", "--output", "json")
    assert (first.code, json.loads(first.stdout)["absent"]) == (0, ["run-1"])
    shutil.move(away, ended.folder)
    assert (ended.folder / "quarantine.csv").exists()
    again = muster("purge", "--older-than", "0", "--output", "json")
    assert (json.loads(again.stdout)["runs"], json.loads(again.stdout)["absent"]) == (["run-1"], [])
    assert not (ended.folder / "quarantine.csv").exists()
    assert muster("purge", "--older-than", "0").stdout.startswith("0 runs")
    both_verify(muster, ended.folder)


def test_a_certificate_says_what_was_erased_and_names_nobody(muster: Muster, asked: Asked, ended: Ended) -> None:
    before = hashlib.sha256((ended.folder / "manifest.json").read_bytes()).hexdigest()
    path = muster.folder / "certificate.json"
    assert asked(ROWS[0]["national_id"], "forget", "--subject", "-", "--certificate", path).code == 0
    certificate = json.loads(path.read_bytes())
    [run] = certificate["runs"]
    assert (certificate["what"], run["run_id"], run["rows"], run["manifest_before"]) == ("forget", "run-1", 2, before)
    assert run["manifest_after"] == hashlib.sha256((ended.folder / "manifest.json").read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert leaks({"certificate": path.read_bytes()}, {value: name for name, value in ROWS[0].items() if value}) == []
    muster("purge", "--older-than", "0")
    assert len(list(muster.folder.glob("erasure-*.json"))) == 1


def test_retention_is_kept_by_every_run_and_by_purge_without_arguments(muster: Muster, ended: Ended) -> None:
    (muster.folder / "muster.toml").write_text('[retention]\npersonal = "0d"\n')
    again = muster("run", muster.folder / "customers.csv")
    assert "were purged" in again.stderr
    assert not (ended.folder / "quarantine.csv").exists()
    assert muster("verify", "run-1").code == 0
    assert len(list(muster.folder.glob("erasure-*.json"))) == 1
    assert muster("purge").stdout.startswith("0 runs")
    (muster.folder / "muster.toml").write_text('[retention]\npersonal = "90d"\n')
    assert "personal data go after 90 days" in muster("doctor", "--offline").stdout
    (muster.folder / "muster.toml").write_text("")
    assert muster("purge").code == 2
    assert "no term is set" in muster("doctor", "--offline").stdout
