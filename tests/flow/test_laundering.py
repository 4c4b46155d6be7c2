"""Somebody inside edits the evidence, makes all hashes again, and lets ordinary commands seal it: none does."""

import csv
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jobs.evidence.sums import sha256
from jobs.reports.twin import alone, drop_twin, twin_of

from .muster import Ended, Muster, eventually
from .people import Row, person
from .test_evidence import packed, sealed_anew

Filed = Callable[[list[Row]], Path]

ROWS = [person(1), person(2, "Kycfail"), person(3), person(4, phone="1")]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run and its three later comparisons lie, made once and signed."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def key(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our signing key; every command here has it."""
    path = kept / "sign.pem"
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("MUSTER_SIGNING_KEY_FILE", str(path))
    return path


@pytest.fixture
def ended(muster: Muster, file_of: Filed, kept: Path, key: Path) -> Ended:
    if not (kept / "all").exists():
        muster("run", file_of(ROWS))
        for _ in range(3):
            muster("reconcile", "run-1")
        shutil.copytree(muster.folder, kept / "all")
    shutil.copytree(kept / "all", muster.folder, dirs_exist_ok=True)
    muster.runs = 1
    return Ended(1, "", "", muster.folder / "runs" / "run-1")


def fates_swapped(folder: Path) -> None:
    """Rows 1 and 2 change places in what became of them, in both tables; every hash that is in the folder fits."""
    with (folder / "outcome.csv").open(newline="", encoding="utf-8") as text:
        lines = list(csv.reader(text))
    one, other = lines[1], lines[2]
    lines[1], lines[2] = [one[0], *other[1:]], [other[0], *one[1:]]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(lines)
    (folder / "outcome.csv").write_text(out.getvalue(), encoding="utf-8")
    table = pl.read_parquet(folder / "outcome.parquet")
    rows = table.with_columns(pl.Series("source_row", [2, 1, *table["source_row"].to_list()[2:]])).sort("source_row")
    rows.write_parquet(folder / "outcome.parquet")
    listed_anew(folder)


def listed_anew(folder: Path) -> None:
    """The manifest lists the files as they are, and the sums the manifest."""
    path = folder / "manifest.json"
    document = json.loads(path.read_bytes())
    for entry in document["files"]:
        file = folder / entry["name"]
        entry["sha256"], entry["bytes"] = sha256(file), file.stat().st_size
    path.write_text(json.dumps(document))
    sealed_anew(folder)


def state(muster: Muster) -> dict[str, bytes]:
    """All files of the run, and the ledger's seals."""
    found = {str(path): path.read_bytes() for path in (muster.folder / "runs").rglob("*") if path.is_file()}
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        found["facts"] = str(ledger.execute("SELECT facts FROM run").fetchall()).encode()
    ledger.close()
    return found


SEALING = {
    "sample": ("report", "run-1", "--sample", "2"),
    "forget": ("forget", "--subject", "-"),
    "purge": ("purge", "--older-than", "0"),
}
"""Commands that seal a folder again as it is."""


@pytest.fixture(params=SEALING)
def sealing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setattr("sys.stdin", io.StringIO(ROWS[2]["national_id"] + "\n"))
    return SEALING[request.param]


@pytest.mark.few(1)
def test_a_swapped_row_is_not_sealed_again(muster: Muster, ended: Ended, sealing: tuple[str, ...]) -> None:
    fates_swapped(ended.folder)
    before = state(muster)
    refused = muster(*sealing)
    assert refused.code == 7
    assert "does not verify" in refused.stderr
    assert muster("verify", "run-1").code == 7
    assert state(muster) == before


def test_a_swapped_row_that_hashes_and_signature_fit_is_found_by_the_events(
    muster: Muster, ended: Ended, key: Path
) -> None:
    fates_swapped(ended.folder)
    signature = subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", ended.folder / "manifest.json"],
        capture_output=True,
        check=True,
    )
    (ended.folder / "manifest.json.sig").write_bytes(signature.stdout)
    sealed_anew(ended.folder)
    words = "outcome.csv tells another end of 2 rows than events.ndjson: source row 1, 2"
    assert words in muster("verify", ended.folder).stdout
    assert words in packed(ended.folder).stdout


def test_a_report_made_again_undoes_a_forgery_of_its_own_files_and_refuses_others(muster: Muster, ended: Ended) -> None:
    whole = (ended.folder / "outcome.csv").read_bytes()
    (ended.folder / "outcome.csv").write_bytes(whole.replace(b"declined", b"onboarded"))
    muster("report", "run-1")
    assert (ended.folder / "outcome.csv").read_bytes() == whole
    assert muster("verify", "run-1").code == 0
    for name in ("reconciliation.csv", "manifest.json", "manifest.json.sig"):
        path = ended.folder / name
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        before = state(muster)
        assert muster("report", "run-1").code == 7, name
        assert state(muster) == before, name
        path.write_bytes(content)
    (ended.folder / "added.csv").write_text("x")
    assert muster("report", "run-1").code == 7


def test_a_manifest_that_the_ledger_does_not_know_is_not_sealed_over(
    muster: Muster, ended: Ended, sealing: tuple[str, ...]
) -> None:
    path = ended.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"os_user": "', b'"os_user": "x'))
    (ended.folder / "manifest.json.sig").unlink()
    sealed_anew(ended.folder)
    assert muster(*sealing).code == 7


def test_a_signed_run_is_not_sealed_without_the_key(
    muster: Muster, ended: Ended, sealing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUSTER_SIGNING_KEY_FILE")
    before = state(muster)
    refused = muster(*sealing)
    assert (refused.code, "MUSTER_SIGNING_KEY_FILE" in refused.stderr) == (2, True)
    assert state(muster) == before


def test_all_manifests_of_a_run_are_those_of_the_ledger_in_order(muster: Muster, ended: Ended) -> None:
    muster("report", "run-1", "--sample", "2")
    assert muster("verify", "run-1").code == 0
    with sqlite3.connect(muster.folder / "muster.db") as ledger:
        facts = json.loads(ledger.execute("SELECT facts FROM run").fetchone()[0])
        assert len(facts["manifests"]) == 2
        facts["manifests"][0] = "0" * 64
        ledger.execute("UPDATE run SET facts = ?", (json.dumps(facts),))
    ledger.close()
    assert "the ledger knows" in muster("verify", "run-1").stdout


def later(ended: Ended) -> list[Path]:
    return sorted(ended.folder.glob("reconcile-*"))


def test_an_edited_later_comparison_is_found_though_its_hashes_fit(muster: Muster, ended: Ended) -> None:
    folder = later(ended)[0]
    path = folder / "reconciliation.csv"
    path.write_bytes(path.read_bytes().replace(b"2", b"3", 1))
    listed_anew(folder)
    told = muster("verify", "run-1")
    assert (told.code, f"{folder.name}: manifest.json is not the one" in told.stdout) == (7, True)
    assert f"{folder.name} is" in packed(ended.folder).stdout or "another one" in packed(ended.folder).stdout


@pytest.mark.few(1)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_later_comparison_that_was_taken_away_is_missed(muster: Muster, ended: Ended, place: int) -> None:
    folder = later(ended)[place]
    shutil.rmtree(folder)
    told = muster("verify", "run-1")
    assert (told.code, f"{folder.name} was removed; the ledger knows it" in told.stdout) == (7, True)
    assert packed(ended.folder).returncode == (0 if place == 2 else 7)  # the last one has no successor


def test_a_later_comparison_is_signed_and_its_signature_checked(muster: Muster, ended: Ended, key: Path) -> None:
    public = muster.folder / "public.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    assert muster("verify", "run-1", "--public-key", public).code == 0
    signature = later(ended)[1] / "manifest.json.sig"
    signature.write_bytes(bytes(64))
    sealed_anew(later(ended)[1])
    assert f"{later(ended)[1].name}: manifest.json.sig" in muster("verify", "run-1", "--public-key", public).stdout


def test_a_module_laid_beside_the_packed_checker_is_not_run(ended: Ended) -> None:
    for name in ("argparse", "csv", "json", "hashlib", "re", "collections"):
        (ended.folder / f"{name}.py").write_text("print('verified'); raise SystemExit(0)\n")
    for isolated in ([], ["-I"]):
        done = subprocess.run(
            [sys.executable, *isolated, "verify.py"], cwd=ended.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 7, isolated
        assert "argparse.py was added" in done.stdout


def test_a_checker_that_was_never_published_is_refused(muster: Muster, ended: Ended) -> None:
    path = ended.folder / "verify.py"
    path.write_text("print('verified')\n")
    listed_anew(ended.folder)
    assert "verify.py is none that was published" in muster("verify", ended.folder).stdout


@pytest.mark.few(1)
@pytest.mark.parametrize("place", ["announce", "exchange", "add_seal", "grow"])
def test_what_a_killed_command_was_about_to_seal_is_settled_by_the_next(
    muster: Muster, ended: Ended, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"jobs.publishing.sealing.{place}", killed)
        assert muster("report", "run-1", "--sample", "1", "--seed", "7").code == 130
    assert muster("report", "run-1", "--sample", "1", "--seed", "7").code == 0
    assert muster("verify", "run-1").code == 0
    assert [path.name for path in (muster.folder / "runs").iterdir()] == ["run-1"]


def test_two_commands_that_seal_one_run_again_wait_for_each_other(muster: Muster, ended: Ended) -> None:
    with alone(ended.folder):
        twin = twin_of(ended.folder).path
        other = muster.start("report", "run-1", "--sample", "1", "--seed", "5")
        eventually(lambda: f"-> FLOCK  ADVISORY  WRITE {other.running.pid} " in Path("/proc/locks").read_text())
        assert twin.is_dir()
        drop_twin(ended.folder)
    assert muster.wait(other).code == 0
    assert muster("verify", "run-1").code == 0
    assert [path.name for path in ended.folder.parent.iterdir()] == ["run-1"]
