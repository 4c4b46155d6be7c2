"""The ledger's log: a night that was taken out shows, and one row is shown without the others."""

import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jobs.evidence.signature import new_key

from .muster import REPOSITORY, Ended, Muster
from .people import Row, person

Filed = Callable[[list[Row]], Path]

ROWS = [person(1), person(2, "Kycfail"), person(3, phone="1")]
CHECKER = REPOSITORY / "jobs" / "evidence" / "pack" / "verify.py"


def packed(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", CHECKER, *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def ended(muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch) -> Ended:
    (muster.folder / "muster.toml").write_text('[evidence]\nwitness = "witness.txt"\n')
    (muster.folder / "muster.toml").chmod(0o600)
    path = file_of(ROWS)
    muster("run", path)
    return muster("run", path)


def test_the_rows_of_one_person_are_proven_and_no_other_is_shown(
    muster: Muster, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ROWS[0]['national_id']}\n"))
    done = muster("report", "run-2", "--prove", "-", "--output", "json")
    proof = muster.folder / json.loads(done.stdout)["proof"]
    shown = packed("--proof", proof)
    assert shown.returncode == 0, shown.stdout
    assert ended.rows[0]["customer_id"] or "source row 1" in shown.stdout
    others = {row[name] for row in ended.rows[1:] for name in ("external_unique_id", "customer_id", "row_ref")} - {""}
    assert [text for text in others if text in proof.read_text()] == []
    assert packed("--proof", proof, "--checkpoint", muster.folder / "witness.txt").returncode == 0
    (muster.folder / "other.txt").write_text("muster-ledger/x\n1\nAAAA\n\n")
    assert packed("--proof", proof, "--checkpoint", muster.folder / "other.txt").returncode == 7
    document = json.loads(proof.read_text())
    event = document["rows"][-1]["event"]
    document["rows"][-1]["event"] = event.replace("already_onboarded", "declined")
    assert document["rows"][-1]["event"] != event
    proof.write_text(json.dumps(document))
    assert packed("--proof", proof).returncode == 7


@pytest.mark.slow
def test_a_night_that_was_taken_out_of_ledger_and_log_is_missed_by_the_witness(muster: Muster, ended: Ended) -> None:
    log, witness = muster.folder / "seals-muster.db", muster.folder / "witness.txt"
    assert witness.read_text().count("muster-ledger/") == 2
    assert muster("verify", "run-2").code == 0
    assert packed("--log", log, "--checkpoint", witness).returncode == 0
    with closing(sqlite3.connect(muster.folder / "muster.db")) as ledger:
        number = "(SELECT run_no FROM run WHERE run_id = 'run-1')"
        for table, column in (("event", "run_id"), ("outcome", "run_id"), ("run", "run_no")):
            ledger.execute(f"DELETE FROM {table} WHERE {column} = {number}")
        ledger.commit()
    shutil.rmtree(log)
    shutil.rmtree(muster.folder / "runs" / "run-1")
    assert muster("report", "run-2").code in {0, 1}
    found = muster("verify", "run-2")
    assert (found.code, "not those of an earlier checkpoint" in found.stdout) == (7, True), found.stdout
    assert packed("--log", log, "--checkpoint", witness).returncode == 7


def forged(folder: Path) -> None:
    """An edit after which everything fits again that lies in the folder."""
    before = hashlib.sha256((folder / "reconciliation.parquet").read_bytes()).hexdigest()
    (folder / "reconciliation.parquet").write_text("All is well.\n")
    manifest = json.loads((folder / "manifest.json").read_text())
    for each in manifest["files"]:
        each["bytes"] = (folder / each["name"]).stat().st_size
    was = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    now = hashlib.sha256((folder / "reconciliation.parquet").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest).replace(before, now))
    sums = (folder / "SHA256SUMS").read_text().replace(before, now)
    sealed = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(sums.replace(was, sealed))


def test_the_newest_night_and_comparison_are_missed_and_a_forgery_is_seen_with_the_log_alone(
    muster: Muster, ended: Ended
) -> None:
    runs, log = muster.folder / "runs", ("--batch", "--log", muster.folder / "seals-muster.db")
    muster("reconcile", "run-2")
    [later] = (runs / "run-2").glob("reconcile-*")
    assert packed(runs / "run-2", *log).returncode == 0

    forged(runs / "run-2" / later)
    found = packed(runs / "run-2", *log)
    words = f"run-2: {later.name} does not have the manifests that the log knows"
    assert (found.returncode, found.stdout.splitlines()[1:]) == (7, [f"  {words}"])

    shutil.rmtree(later)
    assert packed(runs / "run-2").returncode == 0
    assert f"run-2: {later.name}, which the log knows, is missing" in packed(runs / "run-2", *log).stdout

    forged(runs / "run-2")
    assert packed(runs / "run-2").returncode == 0
    assert "run-2: the folder does not have the manifests that the log knows" in packed(runs / "run-2", *log).stdout

    shutil.rmtree(runs / "run-2")
    assert packed(runs / "run-1").returncode == 0
    assert "run run-2, which the log knows, does not lie beside this one" in packed(runs / "run-1", *log).stdout


def test_a_seal_that_the_log_lacks_is_told_and_the_next_seal_makes_it_good(muster: Muster, ended: Ended) -> None:
    shutil.rmtree(muster.folder / "seals-muster.db")
    assert muster("verify", "run-2", "--checkpoint", muster.folder / "witness.txt").code == 7
    assert muster("report", "run-2", "--sample", "1").code == 0
    assert packed("--log", muster.folder / "seals-muster.db").returncode == 0
    (muster.folder / "witness.txt").unlink()
    assert muster("verify", "run-1").code == 0


def test_a_command_is_a_witness_too(muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_WITNESS", "| tee requests.txt")
    muster("run", file_of(ROWS[:1]))
    asked = (muster.folder / "requests.txt").read_text()
    assert asked.startswith("old 0\n\nmuster-ledger/")


def test_a_checkpoint_is_checked_with_the_key_that_signed(
    muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (private, public), other = new_key(), new_key()[1]
    monkeypatch.setenv("MUSTER_SIGNING_KEY", private.decode())
    muster("run", file_of(ROWS[:1]))
    for name, key in (("ours.pem", public), ("other.pem", other)):
        (muster.folder / name).write_bytes(key)
    assert muster("verify", "run-1", "--public-key", "ours.pem").code == 0
    found = muster("verify", "run-1", "--public-key", "other.pem")
    assert (found.code, "the checkpoint of the log was not signed with that key" in found.stdout) == (7, True)
