"""What a look at the tenant's users and an answer to a create mean; pure, the target is a list of replies."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from jobs.errors import NotPermitted
from jobs.keys import KeySpace
from jobs.model import Outcome
from jobs.systems import adapter
from jobs.systems.contract import Setup
from jobs.systems.eclipse import lookup
from jobs.systems.eclipse.customer import CustomerStep
from jobs.systems.eclipse.portal_users import PortalUsers, PortalUserStep
from jobs.systems.eclipse.system import EclipseSettings
from jobs.systems.messages import Reply, Request
from jobs.systems.row import Doubt, Row, View
from jobs.systems.verdict import Absent, Done, Doubted, Ended, Finding, Taken, Throttled, Unclear

from .portal import MEMBERS, user

Record = dict[str, Any]
Answer = Callable[[Request], object]

THERE = {api: user(1)[column] for column, api in MEMBERS.items()} | {"adminUserId": 7, "positions": ["LEVEL_01"]}
DOUBT = Doubt(datetime(2026, 11, 21, tzinfo=UTC), 1)


class Target:
    """Answers every read with what `answer` makes of it; counts them."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.reads = answer, 0

    async def read(self, request: Request) -> Reply:
        self.reads += 1
        return replied(200, self.answer(request))


def replied(status: int, body: object) -> Reply:
    return Reply(status, {}, body if isinstance(body, bytes) else orjson.dumps(body), datetime.now(UTC))


def pages_of(records: list[Record], most: int = 1000) -> Answer:
    """A server that pages, with a cap of its own."""

    def answer(request: Request) -> object:
        query = dict(request.query)
        offset, limit = int(query["offset"]), min(int(query["limit"]), most)
        return records[offset : offset + limit]

    return answer


def view(*, doubt: bool = False, taken: bool = False, **changes: str) -> View:
    values = {name: value for name, value in user(1, **changes).items() if name != "row_ref"}
    row = Row(1, "HR-0001", "cust-1", values, "", "", None, {"password": "of-the-row"})
    return View(row, {}, DOUBT if doubt else None, taken)


def portal() -> PortalUsers:
    setup = Setup("1001", KeySpace.of("eclipse:portal-users", "1001"))
    made = adapter("eclipse:portal-users").system(setup, EclipseSettings())
    assert isinstance(made, PortalUsers)
    return made


def step() -> PortalUserStep:
    (found,) = portal().steps
    assert isinstance(found, PortalUserStep)
    return found


def looked(records: list[Record], seen: View) -> Finding:
    return asyncio.run(step().look(Target(pages_of(records)), seen))


def without(*names: str) -> Record:
    return {name: value for name, value in THERE.items() if name not in names}


@pytest.mark.parametrize(
    ("records", "seen", "expected"),
    [
        ([], view(), Absent),
        ([THERE | {"identity": "another"}], view(), Absent),
        ([], view(doubt=True), Absent),
        ([THERE], view(), Done),
        ([THERE], view(doubt=True), Done),
        ([THERE], view(taken=True), Done),
        ([THERE | {"email": "THEMBI.1@Example.com", "firstName": " Thembi "}], view(), Done),
        ([THERE | {"phone1": "0794000001"}], view(), Done),
        ([THERE | {"positions": ["LEVEL_02", "LEVEL_01"]}], view(positions="LEVEL_01; LEVEL_02"), Done),
        ([without("positions", "email")], view(doubt=True), Done),
        ([without("positions")], view(), "unproven"),
        ([THERE | {"firstName": "THEMBI"}], view(), "identity_taken"),
        ([THERE | {"positions": ["LEVEL_01", "LEVEL_02"]}], view(doubt=True), "identity_taken"),
        ([THERE | {"positions": []}], view(), "identity_taken"),
        ([THERE | {"identity": "THEMBI.1"}], view(), "identity_taken"),
        ([THERE, THERE | {"adminUserId": 8, "identity": "Thembi.1"}], view(), "ambiguous"),
        ([], view(taken=True), "identity_taken"),
        ([], view(taken=True, doubt=True), Unclear),
    ],
    ids=str,
)
def test_what_the_list_shows_is_judged(records: list[Record], seen: View, expected: object) -> None:
    found = looked(records, seen)
    if isinstance(expected, str):
        assert isinstance(found, Ended)
        assert (found.outcome, found.reason_code) == (Outcome.CONFLICT, expected)
    else:
        assert isinstance(found, expected)  # type: ignore[arg-type]  # the others are classes


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"adminUserId": 7, "identity": "thembi.1"}, Done),
        (201, {"adminUserId": "7"}, Done),
        (200, {"adminUserId": 7, "identity": "another"}, Doubted),
        (200, {"identity": "thembi.1"}, Doubted),
        (200, [], Doubted),
        (200, b'{"adminUserId": 7', Doubted),
        (409, [{"code": "USR004", "description": "exists"}], Taken),
        (400, [{"code": "USR004", "description": "exists"}], Taken),
        (400, [{"code": "VAL001", "description": "of-the-row is too short"}], Ended),
        (400, [{"code": "RLT001"}], Throttled),
        (429, [], Throttled),
        (500, b"", Doubted),
        (504, b"", Doubted),
        (302, b"", Ended),
    ],
)
def test_what_an_answer_means(status: int, body: object, expected: type) -> None:
    verdict = step().classify(replied(status, body), view())
    assert isinstance(verdict, expected)
    assert "of-the-row" not in repr(verdict)


@pytest.mark.parametrize(("status", "code"), [(404, "ARCH086"), (400, "PNF001")])
def test_what_would_end_all_rows_alike_ends_the_job(status: int, code: str) -> None:
    with pytest.raises(NotPermitted):
        step().classify(replied(status, [{"code": code}]), view())


def test_the_digest_of_a_request_has_no_part_of_the_password() -> None:
    sent = step().write(view())
    assert b"of-the-row" in (sent.body or b"")
    assert sent.described is not None
    assert b"of-the-row" not in sent.described


@pytest.mark.parametrize("most", [2, 7, 20, 1000])
def test_all_pages_are_read_whatever_the_server_caps(most: int) -> None:
    everybody = [{"adminUserId": number, "identity": f"user.{number}"} for number in range(1, 64)]
    found = asyncio.run(portal().portal_users(Target(pages_of(everybody, most))))
    assert [each["identity"] for each in found] == [each["identity"] for each in everybody]


def test_a_server_that_ignores_paging_is_read_once_more_and_no_further() -> None:
    everybody = [{"adminUserId": number, "identity": f"user.{number}"} for number in range(1, 64)]
    target = Target(lambda _: everybody)
    found = asyncio.run(portal().portal_users(target))
    assert (len(found), target.reads <= 4) == (63, True)


def test_rows_share_one_reading_but_for_those_in_doubt() -> None:
    async def reads(seen: View) -> int:
        users, target = step(), Target(pages_of([]))
        for _ in range(5):
            await users.look(target, seen)
        return target.reads

    assert (asyncio.run(reads(view())), asyncio.run(reads(view(doubt=True)))) == (1, 5)


RESULTS: list[tuple[Mapping[str, Any], list[str]]] = [
    ({"a": {"result": "FAILED"}, "b": {"result": "PASSED"}, "c": {"result": "PENDING"}}, ["a"]),
    ({"a": {"checked": True, "passed": False}, "b": {"checked": True, "passed": True}, "c": {"checked": False}}, ["a"]),
]


@pytest.mark.parametrize(("checks", "failed"), RESULTS)
def test_a_profile_names_the_failing_checks_in_both_shapes(checks: Mapping[str, Any], failed: list[str]) -> None:
    def answer(request: Request) -> object:
        shown: dict[str, object] = {
            "get_customer": {"customerId": 7, "firstName": "Sipho", "nested": {"left": "out"}},
            "read_kyc": [{"status": "FAILED", "lastModified": "2026-05-19T08:30:20.000Z", **checks}],
            "list_wallets": [{"walletId": 9, "currentBalance": 0.5, "availableBalance": 3}],
        }
        return shown[request.operation]

    customers = CustomerStep("/tenants/1001", KeySpace.of("eclipse", "1001"), 1)
    found = asyncio.run(lookup.profile_of(Target(answer), customers, "7"))
    assert found is not None
    assert (found.fields, found.decision, found.failed_checks) == (
        {"customerId": "7", "firstName": "Sipho"},
        "FAILED",
        failed,
    )
    assert found.wallets == [{"walletId": "9", "currentBalance": "0.5", "availableBalance": "3"}]
