"""Rows for Azakaw's stand-in, and muster set up to work there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs.model import Rate
from jobs.sandbox.server import Sandbox
from jobs.systems.messages import CallClass
from tests.flow.muster import Ended, Muster, writes
from tests.flow.people import Row, written

EMPLOYEE = "3ea657a9-5a05-46f9-9277-d27f2ccd13ea"
FORMS = f'form_id_individual = "form-individual"\nform_id_legal = "form-legal"\nemployee_id = "{EMPLOYEE}"\n'
UNLIMITED = {"create": None, "read": None, "download": None}
EMPTY = {"statusCode": 200, "messages": [], "result": {"count": 0, "submissions": []}}
"""A list that shows nobody, as one that lags behind would."""

UNSEEN = {"operation": "list_submissions", "kind": "status", "params": {"status": 200, "body": EMPTY}}


def person(number: int, last_name: str = "Nkosi", **changes: str) -> Row:
    """Row `number`: a natural person, different from every other number's."""
    return {
        "row_ref": f"CRM-{number:06d}",
        "customer_kind": "individual",
        "email": f"thandi.{number}@example.com",
        "first_name": "Thandi",
        "last_name": last_name,
        "phone": f"2782{4_000_000 + number}",
    } | changes


def company(number: int, name: str = "Nkosi Trading", **changes: str) -> Row:
    """Row `number`: a legal entity."""
    return {
        "row_ref": f"CRM-{number:06d}",
        "customer_kind": "legal",
        "email": f"office.{number}@example.com",
        "legal_name": name,
        "registration_number": f"2021/{number:06d}/07",
    } | changes


def configure(sandbox: Sandbox, **switches: Any) -> None:
    """Sets the stand-in's switches; its limits are off unless given."""
    sandbox.configure(switches={"azakaw": {"limits": UNLIMITED} | switches})


def counts(sandbox: Sandbox) -> dict[str, int]:
    """Customers, doubles and mails at the target."""
    found: dict[str, int] = sandbox.of("azakaw").snapshot()["counts"]
    return found


def settings(folder: Path, more: str = "", settle: float = 0.4) -> None:
    """muster.toml."""
    text = f"[azakaw]\n{FORMS}settle_seconds = {settle}\n{more}\n"
    (folder / "muster.toml").write_text(text, encoding="utf-8")


def environment(sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that muster reads, in `folder`."""
    monkeypatch.chdir(folder)
    settings(folder)
    given = {
        "SYSTEM": "azakaw",
        "BASE_URL": sandbox.of("azakaw").base_url,
        "TENANT": "1001",
        "IDENTITY": "app",
        "PASSWORD": "app-secret",
        "RATE": "1000/1",
        "DECISION_POLL": "0.2",
        "DECISION_WAIT": "1.5",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"MUSTER_{name}", value)
    free = dict.fromkeys((CallClass.WRITE, CallClass.READ, CallClass.DOWNLOAD), Rate(1000, 1.0))
    monkeypatch.setattr("jobs.systems.azakaw.system.LIMITS", free)


def sent(sandbox: Sandbox, operation: str = "add_customer", after: int = 0) -> int:
    """How often a write arrived."""
    return sum(entry["operation"] == operation for entry in made(sandbox, after))


def made(sandbox: Sandbox, after: int = 0) -> list[dict[str, Any]]:
    """All writes but logins."""
    return [entry for entry in writes(sandbox, after) if entry["operation"] != "get_app_token"]


class World:
    """muster at Azakaw: `world.run(rows)`."""

    def __init__(self, muster: Muster, sandbox: Sandbox) -> None:
        self.muster, self.sandbox, self.folder = muster, sandbox, muster.folder

    def file(self, rows: list[Row]) -> Path:
        """The input file."""
        return written(self.folder / "customers.csv", rows)

    def run(self, rows: list[Row], *more: str) -> Ended:
        """`muster run` in this process."""
        return self.muster("run", self.file(rows), *more)

    def again(self) -> Ended:
        """The same file once more."""
        return self.muster("run", self.folder / "customers.csv")

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Nothing is written at the target meanwhile."""
        before, arrived = self.sandbox.of("azakaw").snapshot(), len(self.sandbox.journal())
        yield
        assert made(self.sandbox, arrived) == []
        assert self.sandbox.of("azakaw").snapshot() == before


@pytest.fixture
def world(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hasty: None
) -> World:
    """In a folder of its own, with an empty platform without limits."""
    configure(sandbox)
    environment(sandbox, tmp_path, monkeypatch)
    return World(Muster(tmp_path, sandbox, capsys.readouterr), sandbox)
