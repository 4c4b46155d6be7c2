"""What bLink's replies mean, what every call carries, how lists and paths are followed: tables, without a network."""

from typing import Any

import pytest

from jobs.errors import NotPermitted, Unusable
from jobs.keys import KeySpace
from jobs.systems.blink.system import BlinkSettings, system
from jobs.systems.blink.wire import pages, refusal
from jobs.systems.contract import Setup
from jobs.systems.messages import CallClass, ReadFailed, Reply
from jobs.systems.verdict import Doubted, Ended, Throttled

from .blink_bank import PLACE, Bank, awaited, blink, problem, reply

SEED, PLURAL = "/customer/C-1/addresses", "/customers/C-1/addresses"
EQUAL = reply(200, {"addressIdentification": 7, "postalAddress": {"physicalAddress": PLACE}})


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (problem(400, "invalidPayload"), Ended, "refused_by_target"),
        (problem(403, "noAccessToResource"), Ended, "refused_by_target"),
        (problem(404, "resourceDoesNotExist"), Ended, "refused_by_target"),
        (problem(405, "wrongMethod"), Ended, "not_offered"),
        (problem(501, "notImplemented"), Ended, "not_offered"),
        (reply(308), Ended, "redirected"),
        (reply(429, retry_after="7"), Throttled, None),
        (reply(408), Doubted, "server_error"),
        (problem(500, "technicalError"), Doubted, "server_error"),
        (problem(503, "serviceUnavailable"), Doubted, "server_error"),
        (reply(504), Doubted, "server_error"),
    ],
)
def test_what_a_refused_write_means(answer: Reply, kind: type, code: str | None) -> None:
    verdict = refusal("create_contact", answer)
    assert isinstance(verdict, kind)
    assert getattr(verdict, "reason_code", None) == code
    assert "anna" not in getattr(verdict, "reason", "")
    if isinstance(verdict, Doubted):
        assert not verdict.answered, "the bank may have applied it behind the hub"


@pytest.mark.parametrize("kind", ["insufficientPrivileges", "operationNotAllowed", "something else"])
def test_a_consent_that_does_not_allow_a_write_stops_the_job(kind: str) -> None:
    with pytest.raises(NotPermitted, match="create contact"):
        refusal("create_contact", problem(403, kind))


@pytest.mark.parametrize(
    ("answers", "asked", "spelling"),
    [
        ({SEED: EQUAL}, [SEED, SEED], "seed"),
        ({PLURAL: EQUAL}, [SEED, PLURAL, PLURAL], "plural"),
        ({SEED: reply(405), PLURAL: EQUAL}, [SEED, PLURAL, PLURAL], "plural"),
        ({SEED: reply(405)}, [SEED, PLURAL, PLURAL], "plural"),
        ({PLURAL: reply(405)}, [SEED, PLURAL, SEED], "seed"),
        ({}, [SEED, PLURAL, SEED, PLURAL], "seed"),
    ],
)
@awaited
async def test_the_spelling_of_the_path_is_found_once(
    answers: dict[str, Reply], asked: list[str], spelling: str
) -> None:
    target, bank = blink().bank, Bank(answers)
    for _ in range(2):
        await target.address(bank, "C-1")
    assert (bank.asked, target.spelling) == (asked, spelling)


@awaited
async def test_a_list_ends_by_either_header_and_never_goes_round() -> None:
    first, second = [{"customerIdentification": "C-1"}], [{"customerIdentification": "C-2"}]
    bank = Bank(
        {
            "/customers": reply(200, first, nextcursor="a"),
            "/customers?cursor=a": reply(200, second, x_next_cursor="b"),
            "/customers?cursor=b": reply(200, [], nextcursor=""),
        }
    )
    assert [len(page) async for page in pages(bank, "list_customers", "/customers")] == [1, 1, 0]
    bank.answers["/customers?cursor=b"] = reply(200, [], nextcursor="a")
    with pytest.raises(ReadFailed, match="twice"):
        [page async for page in pages(bank, "list_customers", "/customers")]


def test_every_call_says_what_blink_demands_and_nothing_of_the_person() -> None:
    headers = blink(permission_id="p-1").headers(lambda: "f" * 32)
    assert headers["x-correlation-id"] == "f" * 32
    assert (headers["x-corapi-target-id"], headers["permission-id"]) == ("bank-1", "p-1")
    assert headers["x-psu-ip-address"] == headers["x-psu-user-agent"] == "AUTO"
    assert "permission-id" not in blink().headers(lambda: "f" * 32)


def test_a_grant_is_form_encoded_and_its_secret_is_in_no_digest() -> None:
    request = blink(auth_base_url="https://consent.example.com", username="u+1").login("client", "a b&c")
    assert request.body == b"grant_type=refresh_token&refresh_token=a+b%26c&client_id=client&username=u%2B1"
    assert (request.call_class, request.base_url) == (CallClass.LOGIN, "https://consent.example.com")
    assert b"a+b" not in (request.described or b"a+b")


def test_a_grant_gives_a_token_and_its_successor() -> None:
    body = {"access_token": "t", "token_type": "bearer", "expires_in": 1799, "refresh_token": "next"}
    token = blink().token_of(reply(200, body))
    assert (token.header_name, token.header_value) == ("Authorization", "Bearer t")
    assert (token.life_seconds, token.successor, token.tenant) == (1799, "next", None)
    assert "next" not in repr(token)
    with pytest.raises(ValueError, match="access_token"):
        blink().token_of(reply(200, {"expires_in": 1}))
    with pytest.raises(NotPermitted, match="consent has expired"):
        blink().token_of(problem(400, "invalidToken"))


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"addresses_path": "singular"}, "addresses_path"),
        ({"contact_type": "home"}, "contact_type"),
        ({"certificate": "a.pem"}, "together"),
        ({"username": "u" * 65}, "64"),
        ({"token_path": "oauth/token"}, "token_path"),
        ({"auth_base_url": "http://consent.example.com"}, "auth_base_url"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], part: str) -> None:
    with pytest.raises(Unusable, match=part):
        system(Setup("bank-1", KeySpace.of("blink", "bank-1")), BlinkSettings(**settings))
