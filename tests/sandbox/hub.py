"""A plain client of bLink's stand-in for its tests: a token and every header, no retries."""

from typing import Any

import httpx

from jobs.sandbox.server import Sandbox, Standing

HEADERS = {
    "X-Correlation-ID": "call-1",
    "X-CorAPI-Target-ID": "bank-1",
    "X-PSU-IP-Address": "AUTO",
    "X-PSU-User-Agent": "AUTO",
    "User-Agent": "tests/1",
}
GRANT = {"grant_type": "refresh_token", "client_id": "muster", "refresh_token": "blink-refresh"}
TOKEN_PATH = "/consent-flow/v2/oauth/token"
CONTACT = {"medium": "email", "contactMediumType": "private", "contactContent": "anna@example.com"}
PLACE = {
    "streetName": "Bahnhofstrasse",
    "buildingNumber": "1",
    "postCode": "8001",
    "townName": "Zürich",
    "country": "CH",
}
POSTAL = {"salutation": {}, "name": {"givenName": "Anna", "lastName": "Meier"}, "physicalAddress": PLACE}


class Hub:
    """A client with a token and every header: `hub("GET", "customers")`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.http = httpx.Client(base_url=sandbox.of("blink").base_url, timeout=10, trust_env=False)
        self.headers = dict(HEADERS)

    def token(self, **form: str) -> httpx.Response:
        return self.http.post(TOKEN_PATH, data=GRANT | form)

    def __call__(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        if "Authorization" not in self.headers:
            self.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        return self.http.request(method, f"/{path}", headers=self.headers, **kwargs)

    def contact(self, person: str = "P-0001", **members: Any) -> httpx.Response:
        return self("POST", f"persons/{person}/contactdetails", json=present(CONTACT | members))

    def address(self, customer: str = "C-0002", **members: Any) -> httpx.Response:
        return self("POST", f"customers/{customer}/addresses", json=present({"postalAddress": POSTAL} | members))

    def pages(self, path: str = "customers", **query: Any) -> list[list[dict[str, Any]]]:
        """All pages, by either spelling of the header."""
        found, cursor = [], ""
        while True:
            reply = self("GET", path, params=query | ({"cursor": cursor} if cursor else {}))
            found.append(reply.json())
            cursor = reply.headers.get("nextCursor") or reply.headers.get("X-Next-Cursor") or ""
            if not cursor:
                return found


def present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def configure(sandbox: Sandbox, **switches: Any) -> None:
    sandbox.configure(switches={"blink": switches})


def problem(reply: httpx.Response) -> tuple[int, str]:
    body = reply.json()
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Content-Language"] == "en"
    assert {"type", "title", "detail", "instance"} <= set(body)
    return reply.status_code, body["type"]


def counts(standing: Standing) -> tuple[int, int]:
    found = standing.snapshot()["counts"]
    return found["contacts"], found["addresses"]


def standing_address(sandbox: Sandbox) -> int:
    return int(sandbox.of("blink").snapshot()["customers"][0]["addresses"][0])
