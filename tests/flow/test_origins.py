"""Settings that lie around steal no credential."""

import os
from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.settings.precedence import settings

from .muster import Muster
from .people import person, written


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "muster.toml"
    path.write_text("concurrency = 3\n")
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("mode", [0o666, 0o646])
def test_settings_that_others_can_write_are_refused(toml: Path, mode: int) -> None:
    assert settings({}, environ={}).concurrency == 3
    toml.chmod(mode)
    with pytest.raises(Unusable, match="others may write"):
        settings({}, environ={})


def test_settings_of_another_user_are_refused(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: toml.stat().st_uid + 1)
    if toml.stat().st_uid == 0:  # root's own are taken from anybody
        os.chown(toml, 4711, -1)
    with pytest.raises(Unusable, match="belongs to another user"):
        settings({}, environ={})


def test_a_secret_of_another_user_or_that_others_write_is_refused(
    muster: Muster, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = muster.folder / "password"
    path.touch(0o600)
    path.write_text(muster.sandbox.password)
    monkeypatch.delenv("MUSTER_PASSWORD")
    monkeypatch.setenv("MUSTER_PASSWORD_FILE", str(path))
    path.chmod(0o602)
    refused = muster("run", written(muster.folder / "customers.csv", [person(1)]))
    assert (refused.code, "others may" in refused.stderr) == (2, True)
    assert muster.sandbox.journal() == []


def test_a_login_at_another_address_than_ever_before_is_refused(muster: Muster) -> None:
    """The base URL stays; `auth_base_url` alone would send the secret elsewhere."""
    path = muster.folder / "customers.csv"
    assert muster("run", written(path, [person(1)])).code == 0
    before = len(muster.sandbox.journal())
    table = muster.folder / "muster.toml"
    table.write_text('[eclipse]\norigins = ["https://elsewhere.example"]\n')
    refused = muster("run", path)
    assert (refused.code, "does not name" in refused.stderr) == (2, True)
    table.write_text(f'[eclipse]\norigins = ["{muster.sandbox.base_url}", "https://elsewhere.example"]\n')
    allowed = muster("run", path)
    assert (allowed.code, f"calls and credential go to {muster.sandbox.base_url}" in allowed.stderr) == (0, True)
    assert len(muster.sandbox.journal()) > before
