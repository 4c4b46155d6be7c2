"""The fixtures of whole runs against Eclipse of the sandbox; a system of its own has others in its own module."""

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.conftest import file_of, hasty, muster
from tests.flow.muster import Muster

__all__ = ["file_of", "hasty", "muster", "onboarding"]


@pytest.fixture
def onboarding(sandbox: Sandbox, muster: Muster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ONBOARDING credential registers, the operator reads back; the 60 calls a test may make are unlimited."""
    sandbox.configure(onboarding_limit=None)
    for name, value in {
        "IDENTITY": sandbox.onboarding_identity,
        "PASSWORD": sandbox.onboarding_password,
        "OPERATOR_IDENTITY": sandbox.identity,
        "OPERATOR_PASSWORD": sandbox.password,
    }.items():
        monkeypatch.setenv(f"MUSTER_{name}", value)
