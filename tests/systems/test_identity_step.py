"""What replies to a new login mean, and what a look makes of them, without a network."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from jobs.keys import KeySpace
from jobs.model import Outcome
from jobs.systems import adapter
from jobs.systems.contract import Setup
from jobs.systems.eclipse.system import EclipseSettings
from jobs.systems.messages import Reply, Request
from jobs.systems.row import Doubt, Row, View
from jobs.systems.verdict import Absent, Again, Done, Doubted, Ended, Taken, Throttled

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SECRET = "Corr3ct horse!"
ROW = Row(1, None, "cust-1", {"identity": "thandi.1"}, "", "", None, {"password": SECRET})
REGISTRATION = adapter("eclipse:registration").system(Setup("1001", KeySpace.of("eclipse", "1001")), EclipseSettings())
IDENTITY = next(step for step in REGISTRATION.steps if step.name == "identity")
UNANSWERED = Doubt(NOW, 1)


def reply(status: int, body: Any = None) -> Reply:
    """An answer; a body that is bytes is sent as it is."""
    return Reply(status, {}, body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def refusal(code: str) -> list[dict[str, str]]:
    """An error array that quotes the password."""
    return [{"code": code, "type": "BUSINESS", "description": f"password: '{SECRET}' is refused", "traceId": "t-1"}]


CASES: list[tuple[Reply, type, str | None]] = [
    (reply(200, {"identity": "thandi.1", "userId": 7}), Done, None),
    (reply(201, {"identity": "thandi.1"}), Done, None),
    (reply(200, {"identity": "somebody", "userId": 7}), Doubted, "unreadable_reply"),
    (reply(200, {"identity": "thandi.1", "userId": 8}), Doubted, "unreadable_reply"),
    (reply(200, b'{"identity": "thandi.1", "us'), Doubted, "unreadable_reply"),
    (reply(200, b""), Doubted, "unreadable_reply"),
    (reply(400, refusal("VAL001")), Ended, "refused_by_target"),
    (reply(403, refusal("SEC001")), Ended, "forbidden"),
    (reply(409, refusal("USR004")), Taken, None),
    (reply(400, refusal("USR004")), Taken, None),
    (reply(429, refusal("RLT001")), Throttled, None),
    (reply(503, refusal("UNK001")), Doubted, "server_error"),
    (reply(302, b""), Ended, "redirected"),
]


@pytest.mark.parametrize(
    ("answer", "kind", "code"), CASES, ids=[f"{case[0].status} {case[1].__name__}" for case in CASES]
)
def test_an_answer_is_classified_without_repeating_its_words(answer: Reply, kind: type, code: str | None) -> None:
    verdict = IDENTITY.classify(answer, View(ROW, {"customer_id": "7"}))
    assert isinstance(verdict, kind)
    assert not isinstance(verdict, Again)
    assert getattr(verdict, "reason_code", None) == code
    assert SECRET not in repr(verdict)


class Target:
    """Answers a HEAD of identities, and logins, and notes who asked how."""

    def __init__(self, *, there: bool, login: int) -> None:
        self.there, self.login = there, login
        self.asked: list[tuple[str, bool]] = []

    async def read(self, request: Request) -> Reply:
        """The reply."""
        self.asked.append((request.method, request.anonymous))
        if request.method == "HEAD":
            return reply(200 if self.there else 404, b"")
        return reply(self.login, refusal("USR002"))


HEAD, LOGIN = ("HEAD", False), ("POST", True)


@pytest.mark.parametrize(
    ("view", "there", "expected", "asked"),
    [
        ({}, False, Absent, [HEAD]),
        ({}, True, "has_login", [HEAD]),
        ({"taken": True}, False, "login_taken", [HEAD]),
        ({"taken": True}, True, Done, [HEAD]),
        ({"doubt": UNANSWERED, "attempts": 1}, False, Absent, [LOGIN, HEAD]),
        ({"doubt": UNANSWERED, "attempts": 1}, True, Done, [LOGIN, HEAD]),
        ({"doubt": UNANSWERED, "attempts": 3}, True, Done, [HEAD]),
        ({"doubt": UNANSWERED, "attempts": 1, "taken": True}, False, "login_taken", [HEAD]),
    ],
)
def test_a_look_takes_for_ours_only_what_a_request_of_ours_explains(
    view: dict[str, Any], there: bool, expected: type | str, asked: list[tuple[str, bool]]
) -> None:
    target = Target(there=there, login=401)
    found = asyncio.run(IDENTITY.look(target, View(ROW, {"customer_id": "7"}, **view)))
    assert target.asked == asked
    if isinstance(expected, str):
        assert isinstance(found, Ended)
        assert (found.outcome, found.reason_code) == (Outcome.CONFLICT, expected)
    else:
        assert isinstance(found, expected)
