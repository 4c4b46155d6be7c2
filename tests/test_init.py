"""The scaffold: a settings file that muster takes as it is, an example that validates, and nothing overwritten."""

import tomllib
from pathlib import Path

import pytest

from jobs.__main__ import status
from jobs.settings.settings import settings
from jobs.settings.system_table import system_settings
from jobs.systems import SYSTEMS, adapter


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_made_is_taken_and_its_example_validates(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUSTER_TENANT", "1001")
    assert status(["init", "job", "--system", system]) == 0
    monkeypatch.chdir(tmp_path / "job")
    found = settings({}, environ={})
    assert found.system == system
    assert status(["validate", "customers.csv"]) in {0, 1}  # documents that an example names are not there


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_default_that_is_commented_out_is_one(system: str, tmp_path: Path) -> None:
    assert status(["init", str(tmp_path / "job"), "--system", system, "-q"]) == 0
    table = (tmp_path / "job" / "muster.toml").read_text().split(f"[{system}]")[1].split("[columns]")[0]
    given = tomllib.loads(table.replace("# ", ""))
    kept = {key: value for key, value in given.items() if value != ""}
    module = adapter(system)
    assert system_settings(module.SETTINGS, kept, system) == module.SETTINGS()


def test_what_is_there_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "customers.csv").write_text("mine")
    assert status(["init", str(tmp_path)]) == 2
    assert "there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["customers.csv"]
    assert (tmp_path / "customers.csv").read_text() == "mine"
