"""A plain client of BankLingo's stand-in for its tests: one token, no retries."""

from typing import Any

import httpx

from jobs.sandbox.server import Sandbox, Standing

MAKER, CHECKER = "maker-token", "checker-token"

REFUSABLE = {"approve": "Approve", "reject": "Reject", "blacklist": "Blacklist", "undo_blacklist": "UndoBlacklist"}


def person(number: int = 1, **members: Any) -> dict[str, Any]:
    body = {
        "firstName": "Adaeze",
        "lastName": "Okafor",
        "emailAddress": f"Person{number}@example.com",
        "phoneNumber": f"+234 80 {number:08d}",
        "dateOfBirth": "1990-01-31",
        "gender": "Female",
        "address": "1 Broad Street",
        "city": "Lagos",
        "state": "Lagos",
        "country": "Nigeria",
        "identificationType": "National ID",
        "identificationNumber": f"NIN{number:08d}",
        "customerType": "Individual",
        "branchEncodedKey": "branch-1",
    }
    return {name: value for name, value in (body | members).items() if value is not None}


class Bank:
    """One token's calls: `bank("Approve", contactEncodedKey=...)`."""

    def __init__(self, sandbox: Sandbox, token: str = MAKER) -> None:
        self.http = httpx.Client(base_url=sandbox.of("banklingo").base_url, timeout=10, trust_env=False)
        self.http.headers["Authorization"] = f"Bearer {token}"

    def cmd(self, name: str, **members: Any) -> httpx.Response:
        return self.http.post("/api/bpm/cmd", json={"commandName": f"{name}Command", "data": members})

    def qry(self, name: str, **members: Any) -> httpx.Response:
        return self.http.post("/api/bpm/qry", json={"queryName": f"Retrieve{name}Query", "data": members})

    def create(self, number: int = 1, **members: Any) -> httpx.Response:
        return self.cmd("CreateContact", **person(number, **members))

    def key(self, number: int = 1) -> str:
        return str(self.create(number).json()["data"]["contactEncodedKey"])

    def decide(self, operation: str, key: str) -> httpx.Response:
        reasons = {} if operation == "approve" else {"rejectionReason": "why", "reason": "why"}
        return self.cmd(f"{REFUSABLE[operation]}Customer", contactEncodedKey=key, **reasons)


def configure(sandbox: Sandbox, **switches: Any) -> None:
    sandbox.configure(switches={"banklingo": switches})


def states(standing: Standing) -> list[str]:
    return [client["state"] for client in standing.snapshot()["customers"]]


def refusal(reply: httpx.Response) -> tuple[int, str]:
    body = reply.json()
    assert body["isSuccessful"] is False
    assert body["data"] is None
    return reply.status_code, body["statusCode"]
