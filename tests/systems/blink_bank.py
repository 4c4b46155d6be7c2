"""A bank behind bLink that answers from a table, without a network."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, ParamSpec

import orjson

from jobs.systems.blink.system import Blink, BlinkSettings
from jobs.systems.messages import Reply, Request
from jobs.systems.row import Doubt, Row, View

Given = ParamSpec("Given")


def awaited(test: Callable[Given, Coroutine[Any, Any, None]]) -> Callable[Given, None]:
    """A test that awaits, as pytest can call it."""

    @functools.wraps(test)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLACE = {"streetName": "Seestrasse", "buildingNumber": "1", "postCode": "8002", "townName": "Zürich", "country": "CH"}


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, b"" if body is None else orjson.dumps(body), NOW)


def problem(status: int, kind: str, **headers: str) -> Reply:
    return reply(status, {"type": kind, "title": kind, "detail": "contactContent: 'anna@example.com'"}, **headers)


class Bank:
    """Answers reads by path; a path that it does not know is 404."""

    def __init__(self, answers: dict[str, Reply]) -> None:
        self.answers, self.asked = answers, list[str]()

    async def read(self, request: Request) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in request.query if name == "cursor")
        self.asked.append(request.path + (f"?{query}" if query else ""))
        return self.answers.get(self.asked[-1], problem(404, "resourceDoesNotExist"))


def view(doubt: Doubt | None = None, **values: Any) -> View:
    given = {"bank_customer_id": "C-1", "bank_person_id": "P-1"} | values
    return View(Row(1, "r", "cust-000001", given, "", "", None), {"customer_id": "C-1"}, doubt)


def blink(**settings: Any) -> Blink:
    return Blink("bank-1", BlinkSettings(healthcheck=False, **settings))
