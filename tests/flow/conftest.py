from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox
from jobs.transport.retry import FullJitter

from .led import ask, led, quickly, slowly
from .muster import Muster
from .people import Row, written

__all__ = ["ask", "led", "quickly", "slowly"]


@pytest.fixture
def muster(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Muster:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "BASE_URL": sandbox.base_url,
        "TENANT": str(sandbox.tenant),
        "IDENTITY": sandbox.identity,
        "PASSWORD": sandbox.password,
        "RATE": "1000/1",
        "DECISION_POLL": "0.1",
        "DECISION_WAIT": "3",
    }.items():
        monkeypatch.setenv(f"MUSTER_{name}", value)
    return Muster(tmp_path, sandbox, capsys.readouterr)


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[list[Row]], Path]:
    """Writes rows as the input file."""
    return lambda rows: written(tmp_path / "customers.csv", rows)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts and looks that fit a test; what is waited for stays the same."""
    monkeypatch.setattr(FullJitter, "seconds", lambda *_: 0.02)
    monkeypatch.setattr("jobs.engine.driver.SETTLE_SECONDS", 0.5)
    monkeypatch.setattr("jobs.engine.driver.SETTLE_LOOKS_EVERY", 0.1)
    monkeypatch.setattr("jobs.transport.pauses.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("jobs.transport.pauses.LONGEST_PAUSE", 0.1)
