"""A file is there whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from jobs.atomic import atomic


def test_a_block_that_fails_leaves_the_older_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "told.txt"
    target.write_text("older")
    with pytest.raises(ValueError, match="halfway"), atomic(target) as draft:  # noqa: PT012 - the block is what fails
        draft.write_text("half")
        raise ValueError("halfway")
    assert [path.name for path in tmp_path.iterdir()] == ["told.txt"]
    assert target.read_text() == "older"


def test_the_file_is_for_its_owner_alone_whatever_was_there_and_whatever_the_umask(tmp_path: Path) -> None:
    target = tmp_path / "told.txt"
    target.write_text("older")
    target.chmod(0o644)
    before = os.umask(0)
    try:
        with atomic(target) as draft:
            assert stat.S_IMODE(draft.stat().st_mode) == 0o600
            draft.write_text("newer")
    finally:
        os.umask(before)
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("newer", 0o600)


def test_the_first_of_two_processes_wins_where_it_was_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "key"
    with atomic(target, first=True) as slow:
        with atomic(target, first=True) as quick:
            quick.write_text("quick")
        slow.write_text("slow")
    assert target.read_text() == "quick"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(("number", "whole"), [(errno.EINVAL, True), (errno.EIO, False)])
def test_a_disk_that_fails_is_told_and_one_that_syncs_no_folders_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, whole: bool
) -> None:
    synced = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    failed: list[int | None] = []
    try:
        with atomic(tmp_path / "told.txt") as draft:
            draft.write_text("told")
    except OSError as error:
        failed.append(error.errno)
    assert failed == ([] if whole else [number])
