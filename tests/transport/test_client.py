"""Reads wait and go on, writes are sent once, and what no retry can cure stops the job."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from scripted import Rule, Scripted, reply
from virtual import VirtualClock, virtually

from jobs.errors import NotPermitted
from jobs.keys import KeySpace
from jobs.model import Rate, Secrets
from jobs.systems.eclipse.system import Eclipse
from jobs.systems.messages import CallClass, ReadFailed, Request
from jobs.transport.client import LONGEST_WAIT, READ_ATTEMPTS, Client
from jobs.transport.limiter import Closed, Limiter, Window
from jobs.transport.pauses import LONGEST_PAUSE
from jobs.transport.sender import MaybeSent, NotSent

GET = Request("find", "GET", "/customers")
POST = Request("create", "POST", "/customers", body=b"{}", call_class=CallClass.WRITE)

DATE_OF_LAST_YEAR = "Fri, 21 Nov 2025 02:15:00 GMT"

Answers = Callable[[VirtualClock], Rule]


def called(
    work: Callable[[Client], Awaitable[Any]], answers: Answers | None = None, **given: Any
) -> tuple[Any, Client]:
    """What `work` gave with a client that has logged in to a scripted target, and the client."""

    async def main() -> tuple[Any, Client]:
        clock = VirtualClock()
        secrets = given.pop("secrets", Secrets(identity="operator", password="x"))
        limiters = {call_class: Limiter(clock) for call_class in CallClass}
        if window := given.pop("window", None):
            limiters[CallClass.WRITE] = Limiter(clock, window=Window(window, clock))
        target = Scripted(clock, answers(clock) if answers else lambda _request, _headers: None, **given)
        eclipse = Eclipse("1001", KeySpace.of("eclipse", "1001"))
        client = Client(eclipse, target, secrets, tenant="1001", limiters=limiters, clock=clock)
        await client.credential.token()
        return await work(client), client

    return virtually(main)


def only(operation: str, *answers: tuple[int, dict[str, str]] | Exception) -> Answers:
    """These answers to `operation`, one after the other; then the standing one."""

    def rule_of(clock: VirtualClock) -> Rule:
        left = list(answers)

        def rule(request: Request, _headers: object) -> Any:
            if request.operation != operation or not left:
                return None
            answer = left.pop(0)
            return answer if isinstance(answer, Exception) else reply(clock, answer[0], [], **answer[1])

        return rule

    return rule_of


async def read(client: Client) -> tuple[int, float]:
    """The status of one read, and how long it took."""
    began = client.clock.monotonic()
    return (await client.read(GET)).status, client.clock.monotonic() - began


async def nothing() -> None:
    """Before a write there is nothing to be done."""


async def write(client: Client) -> int:
    return (await client.write(POST, nothing)).status


@pytest.mark.parametrize("status", [200, 204, 400, 404, 409, 302])
def test_a_read_gives_every_answer_that_says_something(status: int) -> None:
    (found, _), client = called(read, only("find", (status, {})))

    assert found == status
    assert client.calls["find", "GET", str(status)] == 1


def test_a_throttled_read_waits_as_asked_and_goes_on() -> None:
    (status, seconds), client = called(read, only("find", *[(429, {"retry_after": "7"})] * 3))

    assert status == 200
    assert 21 <= seconds < 23
    assert client.calls["find", "GET", "429"] == 3


def test_a_throttled_read_without_retry_after_backs_off_and_goes_on() -> None:
    (status, seconds), _ = called(read, only("find", *[(429, {})] * 4))

    assert status == 200
    assert 15 <= seconds < 17


def test_one_throttled_read_holds_back_all_reads() -> None:
    async def work(client: Client) -> float:
        await asyncio.gather(*(client.read(GET) for _ in range(2)))
        began = client.clock.monotonic()
        await asyncio.gather(*(client.read(GET) for _ in range(16)))
        return client.clock.monotonic() - began

    seconds, _ = called(work, only("find", (200, {}), (200, {}), (429, {"retry_after": "30"})))

    assert 30 <= seconds < 32


@pytest.mark.parametrize("asked", ["0", "1", "900", DATE_OF_LAST_YEAR])
def test_a_read_that_is_throttled_for_ever_is_given_up_after_an_hour(asked: str) -> None:
    async def work(client: Client) -> tuple[str, float, float]:
        began = client.clock.monotonic()
        with pytest.raises(ReadFailed) as caught:
            await client.read(GET)
        waited = client.clock.monotonic() - began
        with pytest.raises(ReadFailed):
            await client.read(GET)
        return str(caught.value), waited, client.clock.monotonic() - began - waited

    (sentence, waited, again), client = called(work, only("find", *[(429, {"retry_after": asked})] * 1000))

    assert "limit" in sentence
    assert 3600 <= waited < 3600 + LONGEST_PAUSE
    assert again == 0
    assert client.calls["find", "GET", "429"] <= 6 + 3600 / LONGEST_PAUSE


def test_a_read_whose_target_asks_for_a_day_is_given_up_at_once() -> None:
    async def work(client: Client) -> tuple[list[str], float]:
        failed, began = list[str](), client.clock.monotonic()
        for found in await asyncio.gather(*(client.read(GET) for _ in range(16)), return_exceptions=True):
            assert isinstance(found, ReadFailed)
            failed.append(found.reason)
        return failed, client.clock.monotonic() - began

    (failed, seconds), client = called(work, only("find", *[(429, {"retry_after": "86400"})] * 100))

    assert seconds < 1
    assert client.calls["find", "GET", "429"] <= 16
    assert all("limit (HTTP 429), and not tried for another 3,600 s" in reason for reason in failed)


def test_a_write_whose_target_asks_for_a_day_is_not_sent_again() -> None:
    async def work(client: Client) -> int:
        first = await write(client)
        with pytest.raises(NotSent, match="limit"):
            await write(client)
        return first

    status, client = called(work, only("create", *[(429, {"retry_after": "86400"})] * 9))

    assert (status, client.calls["create", "POST", "429"]) == (429, 1)


@pytest.mark.parametrize("failure", [(500, {}), (502, {}), (503, {}), NotSent("no route"), MaybeSent("no answer")])
def test_a_read_that_fails_is_tried_five_times_in_all(failure: Any) -> None:
    async def work(client: Client) -> ReadFailed:
        await client.read(Request("profile", "GET", "/customers/1"))  # goes well whenever it is asked
        with pytest.raises(ReadFailed) as caught:
            await client.read(GET)
        return caught.value

    failed, client = called(work, only("find", *[failure] * 50))

    assert sum(count for (operation, _, _), count in client.calls.items() if operation == "find") == READ_ATTEMPTS
    assert failed.reason.startswith("find: ")


@pytest.mark.parametrize("failures", [1, 2, 3, 4])
def test_a_read_that_fails_for_a_while_succeeds(failures: int) -> None:
    (status, _), client = called(read, only("find", *[(503, {})] * failures))

    assert status == 200
    assert client.calls["find", "GET", "503"] == failures


@pytest.mark.parametrize(("asked", "waited"), [("7", 14), ("3000", 2 * LONGEST_WAIT)])
def test_a_read_that_fails_waits_as_long_as_the_target_asks_within_reason(asked: str, waited: float) -> None:
    (status, seconds), _ = called(read, only("find", *[(503, {"retry_after": asked})] * 2))

    assert status == 200
    assert waited <= seconds < waited + 2


def test_a_stop_ends_the_wait_between_two_attempts_of_a_read() -> None:
    async def work(client: Client) -> float:
        reading = asyncio.create_task(client.read(GET))
        await client.clock.sleep(1)
        began = client.clock.monotonic()
        client.limiters[CallClass.READ].close()
        with pytest.raises(Closed):
            await reading
        return client.clock.monotonic() - began

    seconds, _ = called(work, only("find", *[(503, {"retry_after": "60"})] * 9))

    assert seconds < 1


def test_a_read_whose_token_is_refused_logs_in_again() -> None:
    (status, _), client = called(read, only("find", (401, {})))

    assert status == 200
    assert client.credential.logins == 2


@pytest.mark.parametrize("call", [read, write])
def test_a_fresh_token_that_is_refused_too_stops_the_job(call: Callable[[Client], Awaitable[Any]]) -> None:
    async def work(client: Client) -> str:
        with pytest.raises(NotPermitted) as caught:
            await call(client)
        return caught.value.message

    sentence, client = called(
        work, only("find", *[(401, {})] * 9) if call is read else only("create", *[(401, {})] * 9)
    )

    assert "refuses a fresh token" in sentence
    assert client.credential.logins == 2


@pytest.mark.parametrize("call", [read, write])
def test_a_step_up_that_a_person_must_do_stops_the_job(call: Callable[[Client], Awaitable[Any]]) -> None:
    async def work(client: Client) -> str:
        with pytest.raises(NotPermitted) as caught:
            await call(client)
        return caught.value.message

    operation = "find" if call is read else "create"
    sentence, client = called(work, only(operation, (403, {"sca": "required"})))

    assert "step-up" in sentence
    assert sum(client.calls.values()) == 2


def test_a_plain_403_is_for_the_caller_to_judge() -> None:
    (status, _), _ = called(read, only("find", (403, {})))

    assert status == 403


@pytest.mark.parametrize("answer", [(500, {}), (503, {}), (429, {}), (409, {}), (302, {"location": "/x"})])
def test_a_write_is_sent_once_whatever_the_answer(answer: tuple[int, dict[str, str]]) -> None:
    status, client = called(write, only("create", *[answer] * 9))

    assert status == answer[0]
    assert client.calls == {("login", "POST", "200"): 1, ("create", "POST", str(answer[0])): 1}


@pytest.mark.parametrize(("error", "counted"), [(NotSent("refused"), "not_sent"), (MaybeSent("lost"), "maybe_sent")])
def test_a_write_that_is_lost_is_not_repeated(error: Exception, counted: str) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(type(error)):
            await write(client)

    _, client = called(work, only("create", *[error] * 9))

    assert client.calls["create", "POST", counted] == 1
    assert sum(client.calls.values()) == 2


def test_a_write_that_is_cancelled_under_way_counts_as_perhaps_sent() -> None:
    async def work(client: Client) -> None:
        call = asyncio.create_task(write(client))
        await client.clock.sleep(1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    _, client = called(work, latency=5.0)

    assert client.calls["create", "POST", "maybe_sent"] == 1


def test_a_write_refused_for_its_token_is_sent_once_more_without_a_second_intent() -> None:
    intents: list[float] = []

    async def work(client: Client) -> int:
        async def intend() -> None:
            intents.append(client.clock.monotonic())

        return (await client.write(POST, intend)).status

    status, client = called(work, only("create", (401, {})))

    assert status == 200
    assert (len(intents), client.repeated_writes, client.credential.logins) == (1, 1, 2)


def test_a_write_whose_intent_fails_is_not_sent() -> None:
    async def work(client: Client) -> None:
        async def intend() -> None:
            raise Closed

        with pytest.raises(Closed):
            await client.write(POST, intend)

    _, client = called(work)

    assert client.calls == {("login", "POST", "200"): 1}


def test_a_write_that_waited_long_for_its_permit_goes_out_with_a_token_that_is_still_good() -> None:
    async def work(client: Client) -> list[str | None]:
        target = client.sender
        assert isinstance(target, Scripted)
        await asyncio.gather(*(write(client) for _ in range(4)))
        sent = zip(target.requests, target.presented, strict=True)
        return [token for request, token in sent if request.operation == "create"]

    presented, client = called(work, window=Rate(1, 180), life=60.0)

    assert client.repeated_writes == 0
    assert presented[0] == "Bearer t1"
    assert len(set(presented)) == 4


def test_intents_are_written_when_nothing_but_the_sending_is_left() -> None:
    async def work(client: Client) -> list[str]:
        order: list[str] = []
        target = client.sender
        assert isinstance(target, Scripted)

        async def intend() -> None:
            order.append(f"intent after {client.clock.monotonic() - 1000:.0f}")

        await client.clock.sleep(100)
        await client.write(POST, intend)
        await client.write(POST, intend)
        return [*order, *(request.operation for request in target.requests)]

    order, _ = called(work, window=Rate(1, 180), life=60.0)

    assert order == ["intent after 100", "intent after 280", "login", "renew", "create", "renew", "create"]


def test_calls_are_counted_by_operation_method_and_status() -> None:
    async def work(client: Client) -> None:
        await client.read(GET)
        await client.write(POST, nothing)
        await client.read(GET)

    _, client = called(work, only("find", (503, {}), (404, {})))

    assert client.calls == {
        ("login", "POST", "200"): 1,
        ("find", "GET", "503"): 1,
        ("find", "GET", "404"): 1,
        ("find", "GET", "200"): 1,
        ("create", "POST", "200"): 1,
    }
