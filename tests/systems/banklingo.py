"""Rows for BankLingo's stand-in, and muster set up to work there."""

from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox, Standing
from tests.flow.muster import Muster
from tests.flow.people import Row, written

MAKER, CHECKER = "maker-token", "checker-token"
QUICK = {"settle_seconds": "0.6"}

MEMBERS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "emailAddress",
    "phone": "phoneNumber",
    "national_id": "identificationNumber",
}


def client(number: int, last_name: str = "Okafor", **changes: str) -> Row:
    """Row `number`: valid, and different from every other number's."""
    return {
        "row_ref": f"CRM-{number:06d}",
        "first_name": "Adaeze",
        "last_name": last_name,
        "email": f"Adaeze.{number}@example.com",
        "phone": f"+234803{number:07d}",
        "national_id": f"NIN{number:08d}",
        "id_type": "National ID",
        "date_of_birth": "1990-01-31",
        "gender": "F",
        "address": "1 Broad Street",
        "city": "Lagos",
        "state": "Lagos",
        "country": "Nigeria",
    } | changes


def clients(count: int, first: int = 1) -> list[Row]:
    """`count` of them."""
    return [client(number) for number in range(first, first + count)]


def record(row: Row, **changes: Any) -> dict[str, Any]:
    """The same person as a record of the target, for planting."""
    return {member: row[column] for column, member in MEMBERS.items()} | changes


class Bank:
    """muster and BankLingo's stand-in: what tests of both need."""

    def __init__(self, muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.muster, self.sandbox, self.folder = muster, sandbox, muster.folder
        self.monkeypatch = monkeypatch
        self.settings(**QUICK)
        for name, value in {
            "SYSTEM": "banklingo",
            "BASE_URL": self.standing.base_url,
            "TENANT": "bank-1",
            "TOKEN": MAKER,
            "REGION": "NG",
            "RATE": "1000/1",
            "DECISION_POLL": "0.1",
            "DECISION_WAIT": "0.3",
        }.items():
            monkeypatch.setenv(f"MUSTER_{name}", value)

    @property
    def standing(self) -> Standing:
        """The stand-in."""
        return self.sandbox.of("banklingo")

    def settings(self, **values: str) -> None:
        """Writes `[banklingo]`."""
        lines = ["[banklingo]", *(f"{name} = {value}" for name, value in values.items())]
        (self.folder / "muster.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def switch(self, **switches: Any) -> None:
        """Sets the stand-in's switches."""
        self.sandbox.configure(switches={"banklingo": switches})

    def fault(self, operation: str, kind: str, nth: int | list[int] = 1, **params: Any) -> None:
        """One fault rule alone."""
        self.sandbox.faults([{"operation": operation, "kind": kind, "nth": nth, "params": params}])

    def using(self, token: str) -> None:
        """Works with another credential from now on."""
        self.monkeypatch.setenv("MUSTER_TOKEN", token)

    def file(self, rows: list[Row], name: str = "clients.csv") -> Path:
        """The rows as an input file."""
        return written(self.folder / name, rows)

    def counts(self) -> tuple[int, int]:
        """Clients, and doubles, at the target."""
        found = self.standing.snapshot()["counts"]
        return found["customers"], found["doubles"]

    def states(self) -> list[str]:
        """The state of each client."""
        return [each["state"] for each in self.standing.snapshot()["customers"]]

    def held(self) -> list[str]:
        """The key of each client."""
        return [each["contactEncodedKey"] for each in self.standing.snapshot()["customers"]]

    def calls(self, operation: str) -> int:
        """How often an operation was called."""
        return sum(entry["operation"] == operation for entry in self.sandbox.journal())


@pytest.fixture
def bank(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hasty: None
) -> Bank:
    """In a folder of its own, with an empty bank."""
    monkeypatch.chdir(tmp_path)
    return Bank(Muster(tmp_path, sandbox, capsys.readouterr), sandbox, monkeypatch)
