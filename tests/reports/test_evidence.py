import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.evidence.events import read_events, write_events
from jobs.evidence.sums import sha256
from jobs.evidence.verify import verify_folder, write_manifest, write_sums
from jobs.reports.folder import RunFolder
from jobs.reports.outcome import write_outcome
from jobs.reports.reconciliation import write_reconciliation

from .made import MIXED, RUN_ID, break_frame, frame, row, run_folder, summary

FILES = {
    "SHA256SUMS",
    "events.ndjson",
    "manifest.json",
    "outcome.csv",
    "outcome.parquet",
    "reconciliation.csv",
    "reconciliation.parquet",
    "report.html",
    "summary.json",
}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return run_folder(tmp_path / RUN_ID)


def sealed_again(folder: RunFolder) -> None:
    """What someone does who changes a file and hopes that nobody notices."""
    write_manifest(folder, {"run_id": RUN_ID, "input": {"sha256": "ab" * 32}})


def test_a_whole_run_verifies_and_leaves_exactly_its_files(folder: RunFolder) -> None:
    assert verify_folder(folder.path) == []
    assert {path.name for path in folder.path.iterdir()} == FILES


def test_sha256sum_agrees(folder: RunFolder) -> None:
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder.path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK\n") == len(FILES) - 1


def test_the_manifest_says_who_what_and_which_files(folder: RunFolder) -> None:
    seal = write_manifest(
        folder, {"run_id": RUN_ID, "settings": {"password": "hunter2", "rate": "60/180"}, "input": {}}
    )
    manifest = json.loads((folder.path / "manifest.json").read_text("utf-8"))
    assert {"muster", "python", "polars", "httptools"} <= manifest["versions"].keys()
    assert manifest["host"]
    assert manifest["os_user"]
    assert manifest["settings"] == {"password": "***", "rate": "60/180"}
    assert {entry["name"] for entry in manifest["files"]} == FILES - {"SHA256SUMS", "manifest.json"}
    assert manifest["events"]["count"] == sum(MIXED.values())
    assert seal == sha256(folder.path / "SHA256SUMS")


@pytest.mark.parametrize("name", sorted(FILES))
def test_one_changed_bit_in_any_file_is_found_and_named(folder: RunFolder, name: str) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    path = folder.path / name
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    problems = verify_folder(folder.path)
    assert any(name in problem for problem in problems) or name == "SHA256SUMS", f"seed {seed}: {problems}"
    assert problems, f"seed {seed}"


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_found_and_named(folder: RunFolder, name: str) -> None:
    (folder.path / name).unlink()
    assert any(name in problem for problem in verify_folder(folder.path))


def test_what_was_added_is_found(folder: RunFolder) -> None:
    (folder.path / "extra.csv").write_text("x")
    (folder.path / ".hidden").write_text("x")
    (folder.path / "link").symlink_to("outcome.csv")
    (folder.path / "inner").mkdir()
    assert verify_folder(folder.path) == [
        ".hidden was added",
        "extra.csv was added",
        "link was added",
        "inner: the folder was added",
    ]


def test_a_link_in_the_place_of_a_file_is_found(folder: RunFolder, tmp_path: Path) -> None:
    shutil.move(folder.path / "outcome.csv", tmp_path / "elsewhere.csv")
    (folder.path / "outcome.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert "outcome.csv is no regular file" in verify_folder(folder.path)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("outcome.csv", b'"conflict"', b'"onboarded"', "outcome.csv and outcome.parquet differ at record 13"),
        ("outcome.csv", b"\n14,", b"\n15,", "differ at record 14"),
        ("reconciliation.csv", b'"not_sent"', b'"match"', "differ at record 10"),
        ("summary.json", b'"onboarded": 7', b'"onboarded": 8', "counts other rows than the input has"),
        ("summary.json", b'"onboarded": 7', b'"onboarded": 8', "7 lines of onboarded, summary.json says 8"),
        ("summary.json", b'"left": 14', b'"left": 15', "misstates the equation"),
        ("summary.json", b'"match": 9', b'"match": 8', "9 lines of match, summary.json says 8"),
        ("summary.json", b"abab", b"abac", "name different inputs"),
        ("summary.json", b"7f3a", b"7f3b", "name different runs"),
        ("summary.json", b"{", b"[", "summary.json can't be checked"),
    ],
)
def test_a_false_number_is_found_even_when_all_hashes_were_made_again(
    folder: RunFolder, name: str, old: bytes, new: bytes, words: str
) -> None:
    path = folder.path / name
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    sealed_again(folder)
    assert any(words in problem for problem in verify_folder(folder.path)), verify_folder(folder.path)


def test_lines_that_are_too_few_or_too_many_are_found(folder: RunFolder) -> None:
    path = folder.path / "outcome.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[-1]], []):
        path.write_bytes(b"".join(changed))
        sealed_again(folder)
        assert any("outcome.csv and outcome.parquet differ" in problem for problem in verify_folder(folder.path))


def test_a_table_that_cannot_be_read_is_a_problem(folder: RunFolder) -> None:
    path = folder.path / "outcome.parquet"
    path.write_bytes(path.read_bytes()[:-4])
    sealed_again(folder)
    assert "outcome.csv can't be checked: ComputeError" in verify_folder(folder.path)


def test_a_log_that_was_cut_and_sealed_anew_is_found_by_the_manifest(folder: RunFolder) -> None:
    path = folder.path / "events.ndjson"
    events = [{name: value for name, value in event.items() if name != "n"} for event in read_events(path)]
    write_events(events[:-1], folder)
    write_sums(folder)
    assert "events.ndjson ends after 13 events; 14 were written, with another last hash" in verify_folder(folder.path)


def test_books_that_do_not_balance_are_a_problem_and_a_different_target_is_not(folder: RunFolder) -> None:
    for kind, found in (("books", 1), ("target", 0)):
        document = json.loads((folder.path / "summary.json").read_bytes())
        document["equations"] = [{"name": "a = b", "left": 2, "right": 1, "ok": False, "kind": kind}]
        folder.write_bytes("summary.json", json.dumps(document).encode())
        sealed_again(folder)
        assert len(verify_folder(folder.path)) == found


def test_a_later_reconciliation_has_its_own_sums(folder: RunFolder) -> None:
    inner = folder.subfolder("reconcile-20261201T080000Z")
    write_reconciliation([break_frame(["match"] * 3)], inner)
    inner.write_bytes("summary.json", summary({}, reconciliation={"match": 3}).to_json())
    write_sums(inner)
    assert verify_folder(folder.path) == ["reconcile-20261201T080000Z: it is not chained to its run"]
    chained = {"run_id": RUN_ID, "run_manifest_sha256": sha256(folder.path / "manifest.json")}
    write_manifest(inner, chained)
    assert verify_folder(folder.path) == []
    (inner.path / "reconciliation.csv").write_text("x")
    assert "reconcile-20261201T080000Z: reconciliation.csv was changed" in verify_folder(folder.path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"files":[1],"events":3,"equations":[{}]}']
)
def test_nonsense_in_the_documents_is_a_problem_and_never_a_crash(folder: RunFolder, content: bytes) -> None:
    for name in ("manifest.json", "summary.json", "SHA256SUMS", "events.ndjson"):
        (folder.path / name).write_bytes(content)
    assert verify_folder(folder.path)


def test_no_folder_is_a_problem(tmp_path: Path) -> None:
    assert verify_folder(tmp_path / "none") == [f"there is no folder {tmp_path / 'none'}"]


def test_the_guard_of_the_csv_is_no_difference(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "r1")
    write_outcome([frame([row(1, reason='=1+1\r\n"x"', row_ref=""), row(2, row_ref=None)])], folder)
    sealed_again(folder)
    assert not any("differ" in problem for problem in verify_folder(folder.path))
