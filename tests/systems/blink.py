"""Rows for bLink's stand-in, and muster set up to work there."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ParamSpec

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.people import Row

REFRESH = "blink-refresh"
EMAIL, PHONE = "new.address.{}@example.com", "4179{}"


Given = ParamSpec("Given")


def awaited(test: Callable[Given, Coroutine[Any, Any, None]]) -> Callable[Given, None]:
    """A test that awaits, as pytest can call it."""

    @functools.wraps(test)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


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
    monkeypatch.setattr("jobs.successor._LATEST", {})
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
