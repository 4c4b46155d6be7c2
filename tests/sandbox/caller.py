"""A plain client of the sandbox for its tests: one method a call, no retries, nothing of the program."""

from typing import Any, Self

import httpx

from jobs.sandbox.server import Sandbox

PREFIX = "/eclipse-conductor/rest/v1"


class Caller:
    """One logged-in identity."""

    def __init__(self, sandbox: Sandbox, identity: str, password: str, tenant: int) -> None:
        self.tenant = tenant
        self.http = httpx.Client(base_url=sandbox.base_url, timeout=10, trust_env=False)
        reply = self.http.post(f"{PREFIX}/authentication/login", json={"identity": identity, "password": password})
        self.login = reply.json() if reply.status_code == 200 else {}
        self.headers = {"Authorization": self.login.get("headerValue", "")}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def __call__(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """A call below the caller's tenant."""
        url = f"{PREFIX}/tenants/{self.tenant}/{path}"
        return self.http.request(method, url, headers=self.headers, **kwargs)

    def create(self, number: int, last_name: str = "Dlamini", **members: Any) -> httpx.Response:
        """Creates the customer with this number."""
        return self("POST", "customers", json=person(number, last_name, **members))

    def customer(self, number: int, last_name: str = "Dlamini") -> int:
        """Creates a customer and returns its id."""
        return int(self.create(number, last_name).json()["customerId"])

    def verified(self, number: int) -> int:
        """Creates a customer whose KYC has passed."""
        customer = self.customer(number)
        assert self("POST", f"customers/{customer}/ratify", json={}).json()["status"] == "PASSED"
        return customer

    def wallet(self, customer: int, key: str = "wal-000001", **members: Any) -> httpx.Response:
        """Creates a wallet."""
        body = {"walletTypeId": 5001, "currency": "ZAR", "status": "ACTIVE", "externalUniqueId": key, "version": 0}
        return self("POST", f"customers/{customer}/wallets", json=body | members)


def person(number: int, last_name: str = "Dlamini", **members: Any) -> dict[str, Any]:
    """A body that is accepted; a member given as None is left out."""
    body = {
        "firstName": "Sipho",
        "lastName": last_name,
        "phone1": f"2782{number:07d}",
        "email": f"person{number}@example.com",
        "nationalIdentityNumber": f"90010150{number:05d}",
        "userTypeId": 1,
        "externalUniqueId": f"cust-{number:08d}",
        "version": 0,
    }
    return {name: value for name, value in (body | members).items() if value is not None}
