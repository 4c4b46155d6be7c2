"""A ledger and a run folder as earlier versions left them: they open, go on, are reported again, and verify."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import REPOSITORY, Muster, arrivals, writes
from .people import Row, person, written

KEPT = REPOSITORY / "tests" / "kept" / "version_2"
ROWS: list[Row] = [person(1), person(2, "Kycstuck"), person(4)]
"""Those of the kept run that came to the target; row 2 was left pending, and row 3 was refused."""


@pytest.fixture(params=[1, 2])
def kept(request: pytest.FixtureRequest, muster: Muster, sandbox: Sandbox) -> Path:
    """The run folder, beside its ledger of version 1 or 2, and a target that holds what that run made."""
    muster("run", written(muster.folder / "other.csv", ROWS), "--ledger", "sqlite:///other.db", "--concurrency", "1")
    version: int = request.param
    shutil.rmtree(muster.folder / "runs")
    shutil.copytree(KEPT / "runs", muster.folder / "runs")
    for name in ("customers.csv", "muster.db.key"):
        shutil.copy(KEPT / name, muster.folder / name)
    with closing(sqlite3.connect(muster.folder / "muster.db")) as ledger:
        ledger.executescript((KEPT / "muster.sql").read_text(encoding="utf-8"))
        places = (str(muster.folder / "customers.csv"), str(muster.folder / "runs" / "run-1"))
        ledger.execute("UPDATE run SET input_path = ?, folder = ?", places)
        if version == 1:  # which knew no limits that were learned
            ledger.execute("DROP TABLE learned")
            ledger.execute("UPDATE schema_version SET version = 1")
        ledger.commit()
    for path in (muster.folder / "muster.db", muster.folder / "muster.db.key"):
        path.chmod(0o600)
    return muster.folder / "runs" / "run-1"


def test_an_earlier_run_is_gone_on_with_reported_and_verified(kept: Path, muster: Muster, sandbox: Sandbox) -> None:
    assert muster("verify", "run-1").code == 0
    sandbox.amend("customers", next(iter(list(sandbox.state.customers)[1:])), kyc="PASSED")
    before = arrivals(sandbox)

    resumed = muster("resume", "run-1")

    assert resumed.outcomes == ["already_onboarded", "onboarded", "quarantined", "already_onboarded"]
    assert [entry["operation"] for entry in writes(sandbox, before)] == ["create_wallet"]
    outcomes = (kept / "outcome.csv").read_bytes()
    assert muster("report", "run-1").code in {0, 1}
    assert (kept / "outcome.csv").read_bytes() == outcomes
    assert muster("verify", "run-1").code == 0
    assert muster("runs").code == 0
