from pathlib import Path

import pytest
from books import url_of


def ledger(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return url_of(folder)
    url: str = request.getfixturevalue("postgres").ledger()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new ledger's URL, in each of the databases."""
    return ledger(request, tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def mostly(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """As `either`, for what no statement of a database decides: with a server in the long tests only."""
    return ledger(request, tmp_path)
