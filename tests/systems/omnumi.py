"""Rows for Omnumi's stand-in, and muster set up to work there."""

from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Ended, Muster, writes
from tests.flow.people import Row, written

TENANT = "e1e9adb4-d3bd-4ba5-98b8-011c03a9d2b1"
PICTURE = b"\x89PNG\r\n\x1a\nnot really"


def person(number: int, last_name: str = "Nkosi", **changes: str) -> Row:
    """Row `number`: valid with its picture, and different from every other number's."""
    return {
        "row_ref": f"CRM-{number:06d}",
        "first_name": "Thandi",
        "last_name": last_name,
        "phone": f"2782{4_000_000 + number}",
        "email": f"thandi.{number}@example.com",
        "date_of_birth": "1990-01-31",
        "address_street": "Long Street 1",
        "address_city": "Cape Town",
        "address_state": "WC",
        "address_postal_code": "8001",
        "address_country": "ZA",
        "document_1_file": "id.png",
        "document_1_type": "DriversLicense",
    } | changes


class World:
    """muster at Omnumi: `world.run(rows)`."""

    def __init__(self, muster: Muster, sandbox: Sandbox) -> None:
        self.muster, self.sandbox, self.folder = muster, sandbox, muster.folder
        self.standing = sandbox.of("omnumi")

    def run(self, rows: list[Row], *more: str) -> Ended:
        """`muster run` in this process."""
        return self.muster("run", written(self.folder / "customers.csv", rows), *more)

    def again(self, *more: str) -> Ended:
        """The same file once more."""
        return self.muster("run", self.folder / "customers.csv", *more)

    def settings(self, text: str) -> None:
        """`[omnumi]` of muster.toml."""
        (self.folder / "muster.toml").write_text(f"[omnumi]\n{text}\n", encoding="utf-8")

    def switch(self, **switches: object) -> None:
        """The stand-in's switches."""
        self.sandbox.configure(switches={"omnumi": switches})

    def fault(self, kind: str, nth: object = 1, operation: str = "create_customer", **params: object) -> None:
        """One rule in the place of the earlier ones."""
        self.sandbox.faults([{"operation": operation, "kind": kind, "nth": nth, "params": params}])

    @property
    def counts(self) -> dict[str, int]:
        """Customers, doubles and halves at the target."""
        found: dict[str, int] = self.standing.snapshot()["counts"]
        return found

    def sent(self, after: int = 0) -> list[dict[str, Any]]:
        """The creates that arrived."""
        return writes(self.sandbox, after)

    def members(self) -> list[str]:
        """Names of the members of the newest customer."""
        found: list[str] = self.standing.snapshot()["customers"][-1]["members"]
        return found


def environment(sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that muster reads, in `folder`; the canary is off unless a test asks for it."""
    monkeypatch.chdir(folder)
    (folder / "id.png").write_bytes(PICTURE)
    given = {
        "SYSTEM": "omnumi",
        "BASE_URL": sandbox.of("omnumi").base_url,
        "TENANT": TENANT,
        "TOKEN": "omnumi-access-token",
        "RATE": "1000/1",
        "CANARY": "0",
    }
    for name in ("IDENTITY", "PASSWORD", "DECISION_POLL", "DECISION_WAIT"):
        monkeypatch.delenv(f"MUSTER_{name}", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(f"MUSTER_{name}", value)
