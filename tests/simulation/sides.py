"""The simulated target and the sandbox under one interface, and what the adapter reads of their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import orjson

from jobs.sandbox.server import Sandbox

from .answers import encoded
from .population import TENANT, Persona
from .records import Manners, Moment
from .target import IDENTITY, PASSWORD, ROOT, Target

READ = frozenset(
    {
        *("customerId", "walletId", "walletTypeId", "allowed", "externalUniqueId", "nationalIdentityNumber", "phone1"),
        *("email", "firstName", "lastName", "status", "created", "lastModified", "currency", "code", "traceId"),
        *("headerName", "headerValue", "expiresEpochSecs", "tenantId", "roles"),
    }
)
"""Members that the adapter reads; those of checks are looked at for what failed."""

FORMS = frozenset({"created", "lastModified", "expiresEpochSecs", "headerValue", "traceId", "tenantId"})
"""Members whose value can't be the same: their form is compared."""


class Side(Protocol):
    """One of the two."""

    tenant: str
    login: dict[str, str]

    def send(self, method: str, path: str, query: Mapping[str, str], body: Any, auth: str) -> tuple[int, Any]:
        """Status and document."""
        ...

    def wait(self) -> None:
        """Lets time pass."""
        ...


class Model:
    """The simulated target."""

    tenant, login = TENANT, {"identity": IDENTITY, "password": PASSWORD}

    def __init__(self, personas: Mapping[str, Persona], manners: Manners) -> None:
        self.target = Target(personas, manners, 1.8e9)
        self.now = 0.0

    def send(self, method: str, path: str, query: Mapping[str, str], body: Any, auth: str) -> tuple[int, Any]:
        answer = self.target.answer(method, ROOT + path, query, body, auth, Moment(self.now))
        return answer.status, orjson.loads(encoded(answer.body) or b"null")

    def wait(self) -> None:
        self.now += 1


class Served:
    """The sandbox, over a socket."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.tenant, self.http = str(sandbox.tenant), http
        self.login = {"identity": sandbox.identity, "password": sandbox.password}

    def send(self, method: str, path: str, query: Mapping[str, str], body: Any, auth: str) -> tuple[int, Any]:
        headers = {"Authorization": auth} if auth else {}
        content = None if body is None else orjson.dumps(body)
        if body is not None:
            headers["Content-Type"] = "application/json"
        reply = self.http.request(method, ROOT + path, params=dict(query), headers=headers, content=content)
        return reply.status_code, orjson.loads(reply.content or b"null")

    def wait(self) -> None:
        """Its time is the real one."""


@dataclass
class Caller:
    """One side, and the ids that it gave so far."""

    side: Side
    auth: str = ""
    customers: list[str] = field(default_factory=list)
    wallets: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None) -> Any:
        """Status and what the adapter reads of the document."""
        status, document = self.side.send(method, path, query or {}, body, self.auth)
        self._note(method, path, status, document)
        return status, self._read(document)

    def customer(self, number: int | str) -> str:
        """The path of the how-manieth customer; a text stands for itself."""
        known = isinstance(number, int) and number < len(self.customers)
        name = self.customers[int(number)] if known else ("999999999" if isinstance(number, int) else number)
        return f"{self.own}/customers/{name}"

    @property
    def own(self) -> str:
        return f"/tenants/{self.side.tenant}"

    def _note(self, method: str, path: str, status: int, document: Any) -> None:
        if method != "POST" or status != 200:
            return
        if "headerValue" in document:
            self.auth = document["headerValue"]
        elif path.endswith("/wallets"):
            self.wallets.append(str(document["walletId"]))
        elif path.endswith("/customers"):
            self.customers.append(str(document["customerId"]))

    def _read(self, document: Any) -> Any:
        if isinstance(document, list):
            found = [self._read(each) for each in document]
            errors = bool(found) and all("code" in each for each in found)
            return list({each["code"]: each for each in found}.values()) if errors else found
        if not isinstance(document, dict):
            return document
        shown = {name: self._value(name, value) for name, value in document.items() if name in READ}
        checks = {name: value["result"] for name, value in document.items() if isinstance(value, dict)}
        return shown | {"failed": sorted(name for name, result in checks.items() if result == "FAILED")}

    def _value(self, name: str, value: Any) -> Any:
        if name in {"customerId", "walletId"}:
            return (self.customers if name == "customerId" else self.wallets).index(str(value))
        if name in {"created", "lastModified"}:
            return len(value), value[-1]
        if name == "headerValue":
            return value.partition(" ")[0]
        return type(value).__name__ if name in FORMS else value
