"""Rows for bLink's stand-in, and muster set up to work there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster
from tests.flow.people import Row

Filed = Callable[[list[Row]], Path]
ADDRESS = ("street", "postal_code", "town", "country")
CONTACTS = ("bank_person_id", "email", "phone")
WRITES = ("create_contact", "create_address", "update_address")
DONE = "already_onboarded"
START = {"contacts": 40, "doubleContacts": 0, "addresses": 20}
REFRESH = "blink-refresh"
EMAIL, PHONE = "new.address.{}@example.com", "4179{}"


def row(number: int, **changes: str) -> Row:
    """Row `number`: the stand-in's customer of that number with everything that can be asked for."""
    return {
        "row_ref": f"CRM-{number:06d}",
        "bank_customer_id": f"C-{number:04d}",
        "bank_person_id": f"P-{number:04d}",
        "email": EMAIL.format(number),
        "phone": PHONE.format(2_000_000 + number),
        "street": f"Seestrasse {number}",
        "postal_code": "8002",
        "town": "Zollikerberg",
        "country": "CH",
    } | changes


def only(number: int, *columns: str, **changes: str) -> Row:
    """Row `number` with nothing but the customer and `columns`."""
    whole = row(number, **changes)
    return {name: whole[name] for name in ("row_ref", "bank_customer_id", *columns, *changes)}


def configure(sandbox: Sandbox, **switches: Any) -> None:
    """Sets the stand-in's switches."""
    sandbox.configure(switches={"blink": switches})


def counts(sandbox: Sandbox) -> dict[str, int]:
    """Contacts, double contacts and addresses at the target."""
    found: dict[str, int] = sandbox.of("blink").snapshot()["counts"]
    return {name: found[name] for name in ("contacts", "doubleContacts", "addresses")}


def environment(
    sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str = "settle_seconds = 0.4"
) -> Path:
    """Everything that muster reads, in `folder`; the file of the refresh token."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("jobs.transport.successor._LATEST", {})
    refresh = folder / "refresh-token"
    refresh.write_text(REFRESH + "\n", encoding="utf-8")
    refresh.chmod(0o600)
    given = {
        "SYSTEM": "blink",
        "BASE_URL": sandbox.of("blink").base_url,
        "TENANT": "bank-1",
        "IDENTITY": "muster",
        "PASSWORD_FILE": str(refresh),
        "REGION": "CH",
        "RATE": "1000/1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"MUSTER_{name}", value)
    (folder / "muster.toml").write_text(f"[blink]\n{settings}\n", encoding="utf-8")
    return refresh


@pytest.fixture
def muster(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hasty: None
) -> Muster:
    environment(sandbox, tmp_path, monkeypatch)
    return Muster(tmp_path, sandbox, capsys.readouterr)


def each_or_slow(each: list[tuple[str, str]], quick: set[tuple[str, str]]) -> list[Any]:
    """Parameters, all but the quick ones marked as slow."""
    return [pytest.param(*pair, marks=() if pair in quick else pytest.mark.slow) for pair in each]


def committed(sandbox: Sandbox, after: int = 0) -> list[str]:
    """The operations that changed something."""
    return [entry["operation"] for entry in sandbox.journal(after) if entry["committed"]]


def strangers(sandbox: Sandbox) -> None:
    """Customers that a row must not be given to."""
    bank = sandbox.of("blink")
    bank.plant(customerIdentification="C-9001", externalReference="X-0005")
    bank.plant(customerIdentification="C-9002", consent=False)
    bank.plant(customerIdentification="C-9003", status="closed")
    refused = [{"personIdentification": "P-9004", "lastName": "Refused"}]
    bank.plant(customerIdentification="C-9004", persons=refused)
    couple = [{"personIdentification": f"P-{number}", "lastName": "Meier"} for number in (9005, 9006)]
    bank.plant(customerIdentification="C-9005", persons=couple)
    bank.plant(customerIdentification="C-9006", persons=[])


ENDINGS: list[tuple[Row, str, str]] = [
    (row(1), "onboarded", ""),
    (only(2), "already_onboarded", ""),
    ({"row_ref": "r-3", "external_reference": "X-0003"}, "already_onboarded", ""),
    ({"row_ref": "r-4", "external_reference": "X-none"}, "rejected", "not_available"),
    ({"row_ref": "r-5", "external_reference": "X-0005"}, "conflict", "ambiguous"),
    (only(9002), "rejected", "not_available"),
    (only(9003), "rejected", "customer_inactive"),
    (only(9004, "bank_person_id", "email"), "rejected", "refused_by_target"),
    (only(6, external_reference="X-0007"), "conflict", "reference_differs"),
    (only(8, "email", bank_person_id="P-0009"), "conflict", "person_not_linked"),
    (only(10, "email"), "onboarded", ""),
    (only(9005, "email"), "conflict", "ambiguous"),
    (only(9006, "email"), "rejected", "not_available"),
    (only(11, "street"), "quarantined", "missing:postal_code;missing:town;missing:country"),
    ({"row_ref": "r-12"}, "quarantined", "missing:bank_customer_id"),
    (only(13, bank_customer_id=".."), "quarantined", "value_invalid:bank_customer_id"),
    (only(14, *CONTACTS) | {"phone": "12"}, "quarantined", "phone_invalid:phone"),
]
