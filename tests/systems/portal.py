"""Portal users as their tests meet them: rows of a file, commands, what the target holds."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Ended, Muster
from tests.flow.people import Row, written
from tests.sandbox.caller import Caller

DELIVERED = "delivered.csv"

MEMBERS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone1",
    "identity": "identity",
}


def user(number: int, **changes: str) -> Row:
    """Row `number` of an input file: valid, and different from every other number's."""
    return {
        "row_ref": f"HR-{number:04d}",
        "first_name": "Thembi",
        "last_name": "Nkosi",
        "email": f"thembi.{number}@example.com",
        "phone": f"2779{4_000_000 + number}",
        "identity": f"thembi.{number}",
        "positions": "LEVEL_01",
    } | changes


def users(count: int) -> list[Row]:
    """`count` of them."""
    return [user(number) for number in range(1, count + 1)]


def body(row: Row, **members: Any) -> dict[str, Any]:
    """The same user as the target takes it."""
    named = {api: row[column] for column, api in MEMBERS.items()}
    return named | {"password": "initial-password", "positions": row["positions"].split(";")} | members


def planted(sandbox: Sandbox, row: Row, tenant: int = 1001, **members: Any) -> int:
    """Makes the user at the target, past muster; its id."""
    name, password = ("operator", "operator-password") if tenant == 1001 else ("other-operator", "other-password")
    with Caller(sandbox, name, password, tenant) as caller:
        return int(caller("POST", "admin-users", json=body(row, **members)).json()["adminUserId"])


def may_log_in(sandbox: Sandbox, identity: str, password: str) -> bool:
    """Whether the target takes that login."""
    with Caller(sandbox, identity, password, 1001) as caller:
        return bool(caller.login)


def created(muster: Muster, rows: list[Row], *options: str) -> Ended:
    """`muster admin-users create` with a file of `rows`."""
    path = written(muster.folder / "users.csv", rows)
    return muster(*arguments(muster, path, *options))


def arguments(muster: Muster, path: Path, *options: str) -> list[str]:
    """The command line, with a run id of its own."""
    muster.runs += 1
    passwords = () if "--passwords" in options else ("--passwords", DELIVERED)
    return ["admin-users", "create", str(path), "--run-id", f"run-{muster.runs}", *passwords, *options]


def held(sandbox: Sandbox, identity: str) -> list[int]:
    """The ids of the users of tenant 1001 that log in with `identity`."""
    return [number for number, each in of_tenant(sandbox) if each["identity"] == identity]


def of_tenant(sandbox: Sandbox) -> Iterator[tuple[int, dict[str, Any]]]:
    """All users of tenant 1001."""
    every = list(sandbox.state.admin_users.items())
    return ((number, each) for number, (tenant, each) in every if tenant == 1001)


def delivered(folder: Path) -> dict[str, str]:
    """Passwords by identity, as they were delivered."""
    with (folder / DELIVERED).open(encoding="utf-8", newline="") as file:
        return {line["identity"]: line["password"] for line in csv.DictReader(file)}
