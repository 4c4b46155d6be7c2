import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.reports.folder import RunFolder, safe_run_id


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("text", ["20261121T021500Z-7f3a", "a", "A.b_c-9", "x" * 80, "a..b"])
def test_plain_run_ids_are_taken(text: str) -> None:
    assert safe_run_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc",
        "a/b",
        "a\\b",
        "a\0b",
        "a\n",
        " a",
        "-rf",
        ".a",
        "x" * 81,
        "x" * 300,
        "CON",
        "nul.csv",
        "é",
    ],
)
def test_run_ids_that_could_leave_the_folder_are_refused(text: str) -> None:
    with pytest.raises(Unusable) as refused:
        safe_run_id(text)
    assert refused.value.message.isascii()
    assert refused.value.message.isprintable()


@pytest.mark.usefixtures("open_umask")
def test_folders_and_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "runs" / "deep" / "r1")
    written = folder.write_bytes("summary.json", b"{}")
    assert [mode(folder.path), mode(folder.path.parent), mode(folder.path.parent.parent)] == [0o700] * 3
    assert mode(written) == 0o600


def test_a_closed_umask_does_not_lock_us_out(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        folder = RunFolder.create(tmp_path / "r1")
        written = folder.write_bytes("a.csv", b"x")
    finally:
        os.umask(before)
    assert (mode(folder.path), mode(written)) == (0o700, 0o600)


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    folder = RunFolder.create(tmp_path / "r1")
    folder.write_bytes("a.csv", b"x")
    with pytest.raises(Unusable, match="already holds files"):
        RunFolder.create(tmp_path / "r1")


def test_links_and_files_are_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    for name in ("link", "dangling", "file"):
        with pytest.raises(Unusable):
            RunFolder.create(tmp_path / name)
        with pytest.raises(Unusable):
            RunFolder.existing(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()


def test_a_failure_in_the_middle_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r1")
    folder.write_bytes("outcome.csv", b"old")
    with pytest.raises(ZeroDivisionError):
        _fail_half_way(folder)
    assert [(path.name, path.read_bytes()) for path in folder.path.iterdir()] == [("outcome.csv", b"old")]


def _fail_half_way(folder: RunFolder) -> None:
    with folder.open_atomic("outcome.csv") as draft:
        size = draft.write_bytes(b"half of the n")
        draft.write_bytes(b"ew file" * (size // 0))


def test_the_name_appears_only_when_the_content_is_whole(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r1")
    with folder.open_atomic("a.csv") as draft:
        draft.write_bytes(b"whole")
        assert draft.parent == folder.path
        assert not (folder.path / "a.csv").exists()
    assert (folder.path / "a.csv").read_bytes() == b"whole"


def test_content_is_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create(tmp_path / "r1")
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(handle: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def watched_replace(path: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    folder.write_bytes("a.csv", b"x")
    assert calls == ["file", "rename", "folder"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r1")
    (tmp_path / "victim").write_bytes(b"mine")
    (folder.path / "a.csv").symlink_to(tmp_path / "victim")
    with pytest.raises(Unusable, match="symbolic link"):
        folder.write_bytes("a.csv", b"x")
    assert (tmp_path / "victim").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "a\0", "-x"])
def test_only_plain_names_are_written(tmp_path: Path, name: str) -> None:
    folder = RunFolder.create(tmp_path / "r1")
    with pytest.raises(ValueError, match="plain file name"):
        folder.write_bytes(name, b"x")


def test_drafts_of_a_killed_process_are_discarded_and_nothing_else(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "r1")
    folder.write_bytes("a.csv", b"x")
    (folder.path / ".a.csv.00ff.tmp").write_bytes(b"half")
    (folder.path / ".outcome.ab_c.parts").mkdir()
    (folder.path / ".outcome.ab_c.parts" / "0.parquet").write_bytes(b"half")
    folder.discard_drafts()
    assert [path.name for path in folder.path.iterdir()] == ["a.csv"]
