"""The customers of one Omnumi: storing, finding, changing, showing. No rules of the vendor."""

import base64
import binascii
import hashlib
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.sandbox.omnumi.form import paths

TENANT = "e1e9adb4-d3bd-4ba5-98b8-011c03a9d2b1"
"""The tenant of the release note's example."""

CONTENTS = ("content", "selfieContent", "gidPhoto", "proofOfAddress", "stateIdLicense", "alienIdCard")
"""Members that may carry a file."""

INDEXED = ("email", "phoneNumber", "customNamespace", "accountAddress", "domainNamespace")

ECHOED = (
    "firstName",
    "middleName",
    "lastName",
    "tenantId",
    "dateOfBirth",
    "email",
    "gender",
    "phoneNumber",
    "address",
    "tax",
)


@dataclass(slots=True)
class Customer:
    """A stored customer. `body` is what was sent, besides what the platform has made."""

    account_id: str
    body: dict[str, Any]
    made: dict[str, str]
    """`accountAddress` and `domainNamespace`, as the answer tells them."""
    half: bool
    """Left behind by a refused call."""
    status: str = "PENDING"

    @property
    def tenant(self) -> str:
        return str(self.body["tenantId"])

    def value(self, name: str) -> str:
        """A member as it is compared: without spaces around it, in small letters; empty: absent."""
        return _folded(self.made.get(name) or self.body.get(name))


class Records:
    """All customers of all tenants, with an index, because a create must not look at every other one."""

    def __init__(self, ids: random.Random) -> None:
        self._ids = ids
        self._rows: dict[str, Customer] = {}
        self._index: dict[tuple[str, str], list[Customer]] = {}

    def add(self, body: Mapping[str, Any], *, half: bool = False) -> Customer:
        """Stores a customer with a new id."""
        account_id = str(uuid.UUID(int=self._ids.getrandbits(128), version=4))
        wallet = f"{self._ids.getrandbits(160):040x}"
        made = {
            "accountAddress": body.get("accountAddress") or f"0x{wallet}",
            "domainNamespace": f"{body.get('customNamespace') or 'u' + wallet[:8]}.sandbox.ul",
        }
        row = Customer(account_id, dict(body), made, half)
        self._rows[account_id] = row
        self._enter(row)
        return row

    def find(self, name: str, value: object) -> list[Customer]:
        """Finds the records whose indexed member `name` is `value`, in any case; none for an absent value."""
        return self._index.get((name, _folded(value)), []) if value else []

    def plant(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a customer past all rules: `email` and any member of the request, besides `complianceStatus`."""
        body = {"tenantId": TENANT, **record}
        if not body.get("email"):
            raise ValueError("a planted customer needs email")
        status = body.pop("complianceStatus", "PENDING")
        row = self.add(body)
        row.status = status
        return {"customerAccountId": row.account_id, "domainNamespace": row.made["domainNamespace"]}

    def amend(self, account_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes `complianceStatus` or members, or deletes (`deleted`: true); KeyError: there is none."""
        row, members = self._rows[account_id], dict(changes)
        deleted = bool(members.pop("deleted", False))
        if deleted:
            del self._rows[account_id]
        row.status = members.pop("complianceStatus", row.status)
        row.body.update(members)
        self._index = {}
        for each in self._rows.values():
            self._enter(each)
        return {"customerAccountId": account_id, "deleted": deleted}

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids, states, names of members and hashes; no personal values."""
        rows = list(self._rows.values())
        emails = {row.value("email") for row in rows}
        return {
            "counts": {
                "customers": len(rows),
                "doubles": len(rows) - len(emails),
                "half": sum(row.half for row in rows),
            },
            "customers": [_shown(row) for row in rows],
        }

    def _enter(self, row: Customer) -> None:
        for name in INDEXED:
            if row.value(name):
                self._index.setdefault((name, row.value(name)), []).append(row)


def echo(row: Customer) -> dict[str, Any]:
    """`data` of the answer: it repeats the person and the pictures, and gives some members another name."""
    told = {name: row.body[name] for name in ECHOED if name in row.body}
    return {
        **told,
        **row.made,
        "documents": row.body.get("governmentDocuments", []),
        "faceImage": row.body.get("selfieContent"),
        "complianceStatus": row.status,
        "customerAccountId": row.account_id,
    }


def _folded(value: object) -> str:
    return str(value or "").strip().lower()


def _shown(row: Customer) -> dict[str, Any]:
    members = paths(row.body)
    return {
        "customerAccountId": row.account_id,
        "tenantId": row.tenant,
        "complianceStatus": row.status,
        "half": row.half,
        "email_sha256": hashlib.sha256(row.value("email").encode()).hexdigest(),
        "members": members,
        "documents": [_hashed(path, row.body) for path in members if path.rpartition(".")[2] in CONTENTS],
    }


def _hashed(path: str, body: Any) -> dict[str, str | None]:
    """Hashes of one content: of the text as sent, and of the bytes when it is base64."""
    for part in path.split("."):
        body = body[int(part)] if isinstance(body, list) else body[part]
    sent = str(body).encode()
    try:
        content = hashlib.sha256(base64.b64decode(sent, validate=True)).hexdigest()
    except binascii.Error:
        content = None
    return {"member": path, "sent_sha256": hashlib.sha256(sent).hexdigest(), "sha256": content}
