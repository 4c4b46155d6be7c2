"""The clients of BankLingo: states, members, the store, how they look in replies. Not who may do what."""

import hashlib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from jobs.sandbox.clock import iso

PENDING = "Pending Approval"

STATES = {PENDING: 0, "Active": 1, "Approved": 2, "Rejected": 3, "BlackListed": 4, "Exited": 5}
"""States of the page and their `clientState`. The vendor's sample has 1 for Active; the other numbers are chosen."""

MOVES = {
    "approve": ((PENDING,), "Approved"),
    "reject": ((PENDING,), "Rejected"),
    "blacklist": (("Approved", "Active"), "BlackListed"),
    "undo_blacklist": (("BlackListed",), PENDING),
    "exit": ((PENDING, "Approved", "Active", "BlackListed"), "Exited"),
}
"""Clients API page: states that an operation may start from, and where it leads; of `exit` the origins are chosen."""

NAMED = ("firstName", "lastName", "emailAddress", "phoneNumber")
PLACE = ("address", "city", "state", "country")
CHANGEABLE = (*NAMED, *PLACE, "middleName")
NEEDED = (*NAMED, *PLACE, "dateOfBirth", "gender", "identificationType", "identificationNumber", "customerType")
"""BankLingo, Create Client page. `customerType` and `identificationNumber` are taken for required (chosen)."""

CODES = {"gender": ("Male", "Female", "Other"), "customerType": ("Individual",)}
"""The value of a corporate client is on no page."""

OPTIONAL = ("middleName", "branchEncodedKey")

FORMS = {"emailAddress": r"[^@\s]+@[^@\s]+\.[^@\s]+", "phoneNumber": r"\+?[0-9 ]{7,20}"}
"""What `vendor` strictness demands besides (chosen after the vendor's samples)."""


class Refused(Exception):
    """Ends a call with `status` and the code that belongs to it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.message = message


@dataclass(slots=True)
class Client:
    """A stored client. `fields` are the vendor's members as they were sent."""

    number: int
    key: str
    fields: dict[str, Any] = field(repr=False)
    creator: str | None
    """Credential that created it; None for a planted one."""
    created: float
    modified: float
    state: str = PENDING
    documents: int = 0
    email: str = field(default="", repr=False)
    """The natural key: the e-mail address in lower case."""
    searched: str = field(default="", repr=False)
    """What a search looks through, in lower case (chosen: no page says)."""

    def __post_init__(self) -> None:
        self.change({}, self.modified)

    @property
    def customer_number(self) -> str:
        """What the bank's staff call the client by."""
        return f"CN{self.number:08d}"

    def change(self, fields: Mapping[str, Any], now: float) -> None:
        """Overwrites members."""
        self.fields.update(fields)
        self.modified = now
        self.email = str(self.fields["emailAddress"]).lower()
        self.searched = "\n".join([*(str(self.fields[name]) for name in NAMED), self.customer_number]).lower()


class Clients:
    """All clients, oldest first, and what may be done to them past all rules."""

    def __init__(self, seed: int) -> None:
        self._ids = random.Random(f"{seed}|banklingo")  # noqa: S311 - repeatable on purpose
        self._number = self._ids.randrange(10_000, 20_000)
        self.by_key: dict[str, Client] = {}
        self.by_number: dict[int, Client] = {}

    def add(self, fields: Mapping[str, Any], creator: str | None, now: float) -> Client:
        """Stores a client; the caller has checked the rules. Numbers rise with gaps, as a platform's do."""
        self._number += self._ids.randint(1, 9)
        client = Client(self._number, f"{self._ids.getrandbits(128):032x}", dict(fields), creator, now, now)
        self.by_key[client.key] = self.by_number[client.number] = client
        return client

    def numbered(self, number: object) -> Client | None:
        """The client whose `id` it is; None when there is none or it is no integer."""
        return self.by_number.get(number) if type(number) is int else None

    def holds_email(self, email: str, besides: Client | None) -> bool:
        """Does another client have this e-mail address, in any case?"""
        return any(client.email == email.lower() and client is not besides for client in self.by_key.values())

    def plant(self, record: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Besides the vendor's members: `clientState` (a description), `createdBy` (a credential)."""
        members = {**dict.fromkeys(PLACE, ""), "customerType": "Individual", **record}
        state, creator = _state_in(members, PENDING), members.pop("createdBy", None)
        missing = [name for name in NAMED if name not in members]
        if missing:
            raise ValueError(f"a planted client needs {', '.join(missing)}")
        client = self.add(members, creator, now)
        client.state = state
        return {"contactEncodedKey": client.key, "customerNumber": client.customer_number, "id": client.number}

    def amend(self, key: str, changes: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Changes members or `clientState`, or deletes (`deleted`: true); KeyError when there is no such client."""
        client, members = self.by_key[key], dict(changes)
        deleted = bool(members.pop("deleted", False))
        if deleted:
            del self.by_key[key], self.by_number[client.number]
        else:
            client.state = _state_in(members, client.state)
            client.change(members, now)
        return {"contactEncodedKey": key, "deleted": deleted}

    def snapshot(self) -> dict[str, Any]:
        """Counts, keys and states; `doubles` are clients that share their e-mail address with an earlier one."""
        clients = self.by_key.values()
        return {
            "counts": {"customers": len(clients), "doubles": len(clients) - len({client.email for client in clients})},
            "customers": [
                {
                    "contactEncodedKey": client.key,
                    "id": client.number,
                    "customerNumber": client.customer_number,
                    "state": client.state,
                    "createdBy": client.creator,
                    "documents": client.documents,
                    "email_sha256": hashlib.sha256(client.email.encode()).hexdigest(),
                }
                for client in clients
            ],
        }


def accepted(
    sent: Mapping[str, Any], needed: tuple[str, ...], optional: tuple[str, ...], *, vendor: bool
) -> dict[str, str]:
    """The known members of `sent`; Refused 400 names what is missing or wrong, and quotes it as platforms do."""
    wanted = (*needed, "branchEncodedKey") if vendor and needed else needed
    complaints = [f"{name}: is required" for name in wanted if sent.get(name) is None]
    fields = {name: sent[name] for name in (*needed, *optional) if sent.get(name) is not None}
    for name, value in fields.items():
        if not isinstance(value, str):
            complaints.append(f"{name}: must be a string")
        elif name not in OPTIONAL and not value.strip():
            complaints.append(f"{name}: must not be empty")
        elif not _fits(name, value, vendor=vendor):
            complaints.append(f"{name}: '{value}' is not valid")
    if complaints:
        raise Refused(400, "; ".join(complaints))
    return fields


def _fits(name: str, value: str, *, vendor: bool) -> bool:
    if name == "dateOfBirth":
        return _is_date(value)
    if name in CODES:
        return value in CODES[name]
    return not vendor or name not in FORMS or re.fullmatch(FORMS[name], value) is not None


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def counted(sent: Mapping[str, Any], name: str, default: int) -> int:
    """A number of a list query; Refused 400 unless it is an integer from 1."""
    value = sent.get(name, default)
    if type(value) is not int or value < 1:
        raise Refused(400, f"{name}: must be an integer from 1")
    return value


def holds(client: Client, predicate: Mapping[str, Any]) -> bool:
    """Does a predicate of `field`, `operator` and `value` hold? The page gives no form: this one is chosen."""
    shown = full(client).get(str(predicate.get("field")))
    ours, theirs = str(predicate.get("value", "")).casefold(), str(shown).casefold()
    found = {"=": theirs == ours, "!=": theirs != ours, "~": ours in theirs, ">": theirs > ours, "<": theirs < ours}
    return shown is not None and found.get(str(predicate.get("operator")), False)


def row(client: Client) -> dict[str, object]:
    """A row of a list: no number, no state, no identification."""
    shown = {name: client.fields[name] for name in NAMED}
    blocked = client.state == "BlackListed"
    return {
        "contactEncodedKey": client.key,
        "customerNumber": client.customer_number,
        **shown,
        "isBlacklisted": blocked,
    }


def full(client: Client) -> dict[str, object]:
    """The whole record, whose key is called `encodedKey` here."""
    born = client.fields.get("dateOfBirth")
    return {
        "id": client.number,
        "encodedKey": client.key,
        "customerNumber": client.customer_number,
        **client.fields,
        "dateOfBirth": f"{born}T00:00:00" if born else None,
        "clientState": STATES[client.state],
        "clientStateDescription": client.state,
        "isBlacklisted": client.state == "BlackListed",
        "dateCreated": iso(client.created),
        "lastModified": iso(client.modified),
    }


def _state_in(members: dict[str, Any], default: str) -> str:
    """Takes `clientState` out of `members`; ValueError when there is no such state."""
    state = str(members.pop("clientState", default))
    if state not in STATES:
        raise ValueError(f"clientState is one of {', '.join(STATES)}")
    if members.get("state") in STATES:
        raise ValueError("state is a part of the address; use clientState")
    return state
