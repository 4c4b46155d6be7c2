"""A password that the target replaces: where the new one goes, and who is told when it can't be kept."""

import stat
from pathlib import Path

import pytest

from jobs.model import Secrets
from jobs.settings.secrets import secrets
from jobs.transport import successor


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(successor, "_LATEST", {})
    monkeypatch.setattr(successor, "_TOLD", set())


def given(environ: dict[str, str]) -> Secrets:
    return secrets(environ={"MUSTER_IDENTITY": "client"} | environ)


def test_it_goes_back_into_the_file_that_it_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real, link = tmp_path / "refresh", tmp_path / "link"
    real.write_text("first\n")
    real.chmod(0o600)
    link.symlink_to(real)

    used = given({"MUSTER_PASSWORD_FILE": str(link)}).succeeded("second")

    assert used.password == "second"
    assert real.read_text() == "second\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert link.is_symlink()
    assert given({"MUSTER_PASSWORD_FILE": str(link)}).password == "second"
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"refresh", "link"}] == []
    assert capsys.readouterr().err == ""


def test_one_from_a_variable_holds_for_this_process_and_somebody_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given({"MUSTER_PASSWORD": "first"}).succeeded("second").succeeded("third")

    assert given({"MUSTER_PASSWORD": "first"}).password == "third"
    told = capsys.readouterr().err
    assert told.count("warning") == 1
    assert "MUSTER_PASSWORD_FILE" in told
    assert not {"first", "second", "third"} & set(told.split())


def test_a_file_that_cannot_be_replaced_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep = successor.keeper("first", "MUSTER_PASSWORD", tmp_path / "gone" / "refresh")

    assert keep is not None
    keep("second")
    assert successor.latest("first") == "second"
    assert "can't be written" in capsys.readouterr().err


def test_the_same_one_again_is_no_successor(capsys: pytest.CaptureFixture[str]) -> None:
    used = given({"MUSTER_PASSWORD": "first"}).succeeded("first")

    assert used.password == "first"
    assert capsys.readouterr().err == ""


def test_without_a_password_nothing_is_kept() -> None:
    assert given({}).keep is None
