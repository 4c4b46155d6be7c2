"""Documents named by rows: read below one folder only, told apart by their first bytes."""

import os
from pathlib import Path

import pytest

from jobs.privacy.documents import defect, read
from jobs.systems.verdict import Unsendable

JPEG = b"\xff\xd8\xff\xe0" + b"photo" * 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of documents with one photo in it, and a photo beside it."""
    inside = tmp_path / "documents"
    (inside / "ids").mkdir(parents=True)
    (inside / "ids" / "front.bin").write_bytes(JPEG)
    (tmp_path / "outside.jpg").write_bytes(JPEG)
    return inside


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(JPEG, "image/jpeg"), (b"\x89PNG\r\n\x1a\n...", "image/png"), (b"%PDF-1.7 ...", "application/pdf")],
)
def test_the_first_bytes_tell_the_media_type(folder: Path, content: bytes, media_type: str) -> None:
    (folder / "paper.txt").write_bytes(content)
    found = read(folder, "paper.txt")
    assert (found.media_type, found.content) == (media_type, content)
    assert defect(folder, "paper.txt") is None


def test_an_absolute_path_inside_the_folder_is_taken(folder: Path) -> None:
    assert read(folder, str(folder / "ids" / "front.bin")).content == JPEG


@pytest.mark.parametrize("reference", ["../outside.jpg", "ids/../../outside.jpg", "link.jpg", "linked/outside.jpg"])
def test_nothing_outside_of_the_folder_is_read(folder: Path, reference: str) -> None:
    (folder / "link.jpg").symlink_to(folder.parent / "outside.jpg")
    (folder / "linked").symlink_to(folder.parent, target_is_directory=True)
    assert defect(folder, reference) == "it lies outside of the folder of documents"
    assert defect(folder, str(folder.parent / "outside.jpg")) == "it lies outside of the folder of documents"


def test_what_is_no_small_regular_document_is_refused(folder: Path) -> None:
    (folder / "empty.jpg").touch()
    (folder / "words.jpg").write_text("not a picture")
    os.mkfifo(folder / "pipe.jpg")
    names = ("empty.jpg", "words.jpg", "pipe.jpg", "ids", "missing.jpg", "a\x00b", "n" * 5000)
    assert [name[:9] for name in names if defect(folder, name) is None] == []
    assert defect(folder, "ids/front.bin", most_bytes=len(JPEG)) is None
    assert defect(folder, "ids/front.bin", most_bytes=len(JPEG) - 1) is not None
    assert defect(folder, "ids/front.bin", kinds=("application/pdf",)) is not None


def test_the_refusal_does_not_tell_the_name(folder: Path) -> None:
    with pytest.raises(Unsendable) as refused:
        read(folder, "9001015009087.jpg")
    assert refused.value.reason_code == "document_unreadable"
    assert "9001015009087" not in refused.value.reason


def test_no_document_is_read_from_the_folder_of_a_run(folder: Path) -> None:
    """A row that names another person's downloaded profile would send it to the target as its own."""
    run = folder / "runs" / "run-1" / "profiles-1"
    run.mkdir(parents=True)
    (run / "4711.pdf").write_bytes(b"%PDF-1.7 ...")
    assert defect(folder, "runs/run-1/profiles-1/4711.pdf") is None
    (run.parent / "SHA256SUMS").touch()
    for reference in ("runs/run-1/profiles-1/4711.pdf", str(run / "4711.pdf")):
        assert defect(folder, reference) == "it lies in the folder of a run, which holds other people's data"
