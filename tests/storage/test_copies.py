"""Copies of folders: what is delivered, what is left alone, what a kill leaves."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jobs.api
from jobs.errors import Locked, Unproven
from jobs.storage import copies
from jobs.storage.copies import NotDelivered
from jobs.storage.workplace import COPIES, work_in
from tests.flow.muster import Muster, also
from tests.flow.people import Row, person

from .faulty import Fault, Faulty
from .test_run import keys, text

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    work_in(tmp_path / "work")
    return tmp_path / "work"


def begun(address: str) -> Path:
    """A folder of two files and a manifest, and a later one in it."""
    path = copies.at_hand(address)
    (path / "later").mkdir(parents=True)
    for name in ("a", "b", "manifest.json", "later/c", "later/manifest.json"):
        (path / name).write_text(name)
    return path


def test_a_folder_is_delivered_fetched_changed_and_delivered_again(s3: Any, bucket: str, place: Path) -> None:
    address = f"s3://{bucket}/out/run"
    begun(address)
    copies.deliver(address)
    copies.give_back()
    assert list(place.rglob("*")) == []
    path = copies.at_hand(address)
    assert {file.name: file.read_text() for file in path.iterdir() if file.is_file()}["a"] == "a"
    (path / "a").unlink()
    (path / "b").write_text("changed")
    (path / "manifest.json").write_text("another")
    copies.deliver(address)
    copies.give_back()
    assert keys(s3, bucket) == [f"out/run/{name}" for name in ("b", "later/c", "later/manifest.json", "manifest.json")]
    assert text(s3, bucket, "out/run/b") == "changed"


def test_what_somebody_else_put_there_is_not_written_over(s3: Any, bucket: str, place: Path) -> None:
    address = f"s3://{bucket}/out/run"
    path = begun(address)
    s3.put_object(Bucket=bucket, Key="out/run/b", Body=b"theirs")
    with pytest.raises(NotDelivered, match="left as it is"):
        copies.deliver(address)
    assert text(s3, bucket, "out/run/b") == "theirs"
    assert "out/run/manifest.json" not in keys(s3, bucket)
    s3.delete_object(Bucket=bucket, Key="out/run/b")
    copies.deliver(address)
    s3.put_object(Bucket=bucket, Key="out/run/manifest.json", Body=b"theirs")
    for name in ("b", "manifest.json"):
        (path / name).write_text("ours")
    with pytest.raises(NotDelivered, match="left as it is"):
        copies.deliver(address)
    assert (text(s3, bucket, "out/run/b"), text(s3, bucket, "out/run/manifest.json")) == ("b", "theirs")
    copies.give_back()
    assert path.exists()


def test_a_lost_answer_and_lost_notes_are_made_good_by_comparing(
    s3: Any, bucket: str, place: Path, faulty: Faulty
) -> None:
    address = f"s3://{bucket}/out/run"
    path = begun(address)
    faulty.faults = [Fault("PUT", "/out/run/b", "lost")]
    with pytest.raises(NotDelivered):
        copies.deliver(address)
    copies.give_back()
    (notes,) = place.rglob(".run.objects")
    notes.write_text("{")
    assert copies.at_hand(address) == path
    assert len(keys(s3, bucket)) == 5
    copies.give_back()
    assert not path.exists()


def test_one_command_at_a_time_works_on_a_copy(bucket: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"s3://{bucket}/out/run"
    begun(address)
    monkeypatch.setattr(copies, "_HELD", {})
    with pytest.raises(Locked):
        copies.at_hand(address)
    monkeypatch.undo()
    copies.sweep()
    assert copies.here(address).is_dir()
    copies.deliver(address)
    copies.give_back()


def test_an_object_that_no_folder_has_is_told_and_written_nowhere(s3: Any, bucket: str, place: Path) -> None:
    s3.put_object(Bucket=bucket, Key="out/run/../../../x", Body=b"x")
    with pytest.raises(Unproven, match="no folder of a run has"):
        copies.at_hand(f"s3://{bucket}/out/run")
    assert [path.name for path in place.parent.rglob("x")] == []


def test_a_program_gives_the_folder_back_when_its_run_has_ended(muster: Muster, file_of: Filed, bucket: str) -> None:
    out = f"s3://{bucket}/out"
    assert jobs.api.run(file_of([person(1)]), out=out, run_id="run-1").exit_code == 0
    assert list((muster.folder / "runs").glob(f"{COPIES}/**/*")) == []
    assert muster("verify", "run-1").code == 0


@pytest.mark.parametrize("nth", also(1, 2, 9, 14))
@pytest.mark.parametrize("what", ["kill", "lost"])
def test_wherever_a_delivery_is_broken_off_the_next_command_completes_it(
    muster: Muster, file_of: Filed, faulty: Faulty, s3: Any, bucket: str, what: str, nth: int
) -> None:
    broken(muster, faulty, ("run", str(file_of([person(1)])), "--out", f"s3://{bucket}/out"), "PUT", what, nth)
    whole(muster, s3, bucket)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "nth"), [("DELETE", 1), ("PUT", 1), ("PUT", 2), ("PUT", 3)])
def test_wherever_a_second_delivery_is_broken_off_the_next_command_completes_it(
    muster: Muster, file_of: Filed, faulty: Faulty, s3: Any, bucket: str, method: str, nth: int
) -> None:
    assert muster("run", file_of([person(1)]), "--out", f"s3://{bucket}/out").code == 0
    broken(muster, faulty, ("report", "run-1", "--sample", "1"), method, "kill", nth)
    whole(muster, s3, bucket)
    assert "out/run-1/manifest-1.json" in keys(s3, bucket)


def broken(muster: Muster, faulty: Faulty, command: tuple[str, ...], method: str, what: str, nth: int) -> None:
    started = muster.start(*command, waiting=True)
    faulty.faults = [Fault(method, "out/run-1/", what, nth=nth, pid=started.running.pid)]
    started.running.send_signal(signal.SIGCONT)
    assert muster.wait(started).code == (-signal.SIGKILL if what == "kill" else 0)  # the library asks once more
    faulty.faults = []


def whole(muster: Muster, s3: Any, bucket: str) -> None:
    assert muster("verify", "run-1").code == 0
    listed = json.loads(text(s3, bucket, "out/run-1/manifest.json"))["files"]
    assert {f"out/run-1/{each['name']}" for each in listed} <= set(keys(s3, bucket))
    assert list((muster.folder / "runs").glob(f"{COPIES}/**/*")) == []
