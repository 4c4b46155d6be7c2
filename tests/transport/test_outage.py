"""A target that does not answer for a while: nothing is hammered, no attempt is lost, and it is no refusal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from scripted import Rule, Scripted, reply
from virtual import VirtualClock, virtually

from jobs.errors import NotPermitted, Unreachable
from jobs.keys import KeySpace
from jobs.model import Rate, Secrets
from jobs.systems.eclipse.system import Eclipse
from jobs.systems.messages import CallClass, ReadFailed, Reply, Request
from jobs.transport.client import READ_ATTEMPTS, Client
from jobs.transport.credential import MOST_FAILED_LOGINS
from jobs.transport.limiter import Closed, Limiter, Window
from jobs.transport.outage import LONGEST_PAUSE, START_SECONDS, WAIT_SECONDS, Outage
from jobs.transport.sender import MaybeSent, NotSent

POST = Request("create", "POST", "/customers", body=b"{}", call_class=CallClass.WRITE)
GOOD = Request("profile", "GET", "/customers/1")

REFUSED = NotSent("no connection (connection refused)")

Answer = Callable[[VirtualClock], "Reply | NotSent | MaybeSent"]

FAILURES: dict[str, Answer] = {
    "refused": lambda _: REFUSED,
    "lost": lambda _: MaybeSent("the connection was lost (ReadError)"),
    "500": lambda clock: reply(clock, 500),
    "503": lambda clock: reply(clock, 503, retry_after="3"),
    "garbage": lambda clock: Reply(200, {}, b"<html>", clock.now()),
}

REFUSAL = [{"type": "SECURITY", "code": "USR002", "description": "wrong", "traceId": "t"}]


def find(number: int) -> Request:
    """The look-up of one row; each row has another one."""
    return Request("find", "GET", "/customers", (("identity", str(number)),))


class Scene:
    """A client that has not logged in yet, its target, and what the operator was told."""

    def __init__(self, rule: Callable[[VirtualClock], Rule], wait: float, window: Rate | None) -> None:
        self.clock = VirtualClock()
        self.told: list[str] = []
        self.took = 0.0
        self.target = Scripted(self.clock, rule(self.clock))
        self.outage = Outage(self.clock, "bank.example:443", wait_seconds=wait, tell=self.told.append)
        limiters = {
            call_class: Limiter(self.clock, window=Window(window, self.clock) if window else None)
            for call_class in CallClass
        }
        self.client = Client(
            Eclipse("1001", KeySpace.of("eclipse", "1001")),
            self.target,
            Secrets(identity="operator", password="hunter2-hunter2"),
            tenant="1001",
            limiters=limiters,
            clock=self.clock,
            outage=self.outage,
        )

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.clock.monotonic() - 1000

    async def read(self, number: int) -> int:
        return (await self.client.read(find(number))).status


def played(
    work: Callable[[Scene], Awaitable[Any]],
    rule: Callable[[VirtualClock], Rule] = lambda _clock: lambda _request, _headers: None,
    *,
    wait: float = WAIT_SECONDS,
    window: Rate | None = None,
) -> tuple[Any, Scene]:
    """What `work` gave, and the scene."""

    async def main() -> tuple[Any, Scene]:
        scene = Scene(rule, wait, window)
        found = await work(scene)
        scene.took = scene.now
        return found, scene

    return virtually(main)


def out(since: float, until: float, answer: Answer, *but: str) -> Callable[[VirtualClock], Rule]:
    """Every call between these seconds is answered so, apart from the operations `but`."""

    def rule_of(clock: VirtualClock) -> Rule:
        def rule(request: Request, _headers: object) -> Any:
            there = since <= clock.monotonic() - 1000 < until and request.operation not in but
            return answer(clock) if there else None

        return rule

    return rule_of


async def begun(scene: Scene) -> None:
    """Logged in, and one read went well."""
    await scene.client.credential.token()
    await scene.client.read(GOOD)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("window", [None, Rate(3, 10)], ids=["free", "three in ten seconds"])
def test_all_wait_for_a_target_that_comes_back_and_no_attempt_is_lost(failure: Answer, window: Rate | None) -> None:
    async def work(scene: Scene) -> list[int]:
        await begun(scene)
        await scene.clock.sleep(60)
        scene.target.requests.clear()
        return await asyncio.gather(*(scene.read(number) for number in range(16)))

    found, scene = played(work, out(60, 300, failure), window=window)

    assert found == [200] * 16
    assert 300 < scene.took < 300 + 3 * LONGEST_PAUSE
    during = [request for request in scene.target.requests if request.operation != GOOD.operation]
    assert len(during) <= 16 * 3  # before it was noticed, and after it was over
    probes = [request for request in scene.target.requests if request.path == GOOD.path]
    assert 5 < len(probes) < 25
    assert len(scene.told) == 2
    assert scene.told[0].startswith("bank.example:443 does not answer (")
    assert scene.told[1].startswith("bank.example:443 answers again, after ")


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_one_that_does_not_come_back_ends_every_call_alike(failure: Answer) -> None:
    async def work(scene: Scene) -> list[object]:
        await begun(scene)
        return await asyncio.gather(*(scene.read(number) for number in range(16)), return_exceptions=True)

    found, scene = played(work, out(0.25, 1e9, failure, "login"), wait=90)

    assert {type(each) for each in found} == {Unreachable}
    assert 90 <= scene.took < 90 + 2 * LONGEST_PAUSE
    assert isinstance(found[0], Unreachable)
    assert found[0].message.startswith("bank.example:443 can't be reached: ")
    assert "nothing is wrong with the file or the credential" in found[0].message
    assert found[0].hint == "run it again"


def test_without_patience_it_ends_at_once() -> None:
    async def work(scene: Scene) -> None:
        await begun(scene)
        with pytest.raises(Unreachable):
            await scene.read(1)

    _, scene = played(work, out(0.25, 1e9, FAILURES["refused"], "login"), wait=0)

    assert scene.took < 10


def test_only_one_call_at_a_time_is_under_way_while_it_lasts() -> None:
    seen: list[int] = []

    def rule_of(clock: VirtualClock) -> Rule:
        usual = out(60, 300, FAILURES["lost"])(clock)

        def rule(request: Request, headers: Any) -> Any:
            if 80 < clock.monotonic() - 1000 < 300:
                seen.append(scenes[0].target.under_way)
            return usual(request, headers)

        return rule

    scenes: list[Scene] = []

    async def work(scene: Scene) -> None:
        scenes.append(scene)
        await begun(scene)
        await scene.clock.sleep(60)
        await asyncio.gather(*(scene.read(number) for number in range(64)))

    played(work, rule_of)

    assert seen
    assert set(seen) == {0}


@pytest.mark.parametrize("failure", ["500", "lost", "garbage"])
def test_a_read_that_fails_by_itself_is_no_outage(failure: str) -> None:
    async def work(scene: Scene) -> None:
        await begun(scene)
        with pytest.raises(ReadFailed):
            await scene.read(1)

    _, scene = played(work, out(0, 1e9, FAILURES[failure], "login", "profile"))

    assert scene.target.count("find") == READ_ATTEMPTS
    assert scene.took < 60
    assert scene.told == []


def test_an_operation_that_fails_by_itself_is_no_outage_though_it_was_the_newest_to_go_well() -> None:
    async def work(scene: Scene) -> None:
        await begun(scene)
        await scene.read(1)
        await scene.clock.sleep(60)
        found = await asyncio.gather(*(scene.read(number) for number in range(4)), return_exceptions=True)
        assert {type(each) for each in found} == {ReadFailed}

    _, scene = played(work, out(30, 1e9, FAILURES["503"], "login", "profile"))

    assert scene.told == []


@pytest.mark.parametrize(("path", "least"), [("/customers", 0.0), ("/", WAIT_SECONDS)])
def test_a_read_that_fails_all_alone_fails_by_itself_at_once_where_the_root_answers(path: str, least: float) -> None:
    async def work(scene: Scene) -> list[int]:
        await scene.client.credential.token()
        with pytest.raises(ReadFailed):
            await scene.read(1)
        return [await scene.read(2), await scene.read(3)]

    def rule_of(clock: VirtualClock) -> Rule:
        broken = {find(1).path, path}
        return lambda request, _headers: (
            reply(clock, 500) if request.path in broken and request.query in {find(1).query, ()} else None
        )

    found, scene = played(work, rule_of)

    assert found == [200, 200]
    assert least < scene.took < least + 60


def test_two_reads_that_fail_one_after_the_other_are_an_outage_though_nothing_went_well_before() -> None:
    async def work(scene: Scene) -> None:
        await scene.client.credential.token()
        with pytest.raises(ReadFailed):
            await scene.read(1)
        with pytest.raises(Unreachable):
            await scene.read(2)

    played(work, out(0, 1e9, FAILURES["503"], "login"), wait=60)


def test_a_write_that_did_not_leave_is_handed_back_and_the_next_one_waits_before_its_intent() -> None:
    intents: list[float] = []

    async def work(scene: Scene) -> int:
        await begun(scene)

        async def intend() -> None:
            intents.append(scene.now)

        await scene.clock.sleep(60)
        with pytest.raises(NotSent):
            await scene.client.write(POST, intend)
        return (await scene.client.write(POST, intend)).status

    status, scene = played(work, out(60, 200, FAILURES["refused"]))

    assert status == 200
    assert (
        len(intents) == 2
    )  # the second is committed only when the target is back: whoever lost the lease sends nothing
    assert intents[1] >= 200
    assert scene.client.repeated_writes == 0
    counted = scene.client.calls
    assert (counted["create", "POST", "not_sent"], counted["create", "POST", "200"]) == (1, 1)


def test_a_write_that_was_lost_is_never_repeated() -> None:
    async def work(scene: Scene) -> list[object]:
        await begun(scene)
        await scene.clock.sleep(60)
        tries = (scene.client.write(POST, nothing) for _ in range(4))
        return await asyncio.gather(*tries, return_exceptions=True)

    found, scene = played(work, out(60, 200, FAILURES["lost"]))

    assert {type(each) for each in found} == {MaybeSent}
    assert scene.target.count("create") == 4


def test_a_write_whose_outage_lasts_too_long_was_not_sent() -> None:
    async def work(scene: Scene) -> list[object]:
        await begun(scene)
        await scene.clock.sleep(60)
        tries = (scene.client.write(POST, nothing) for _ in range(4))
        found = await asyncio.gather(*tries, return_exceptions=True)
        with pytest.raises(Unreachable):
            await scene.client.write(POST, nothing)  # not even begun
        return found

    found, _ = played(work, out(60, 1e9, FAILURES["refused"]))

    assert {type(each) for each in found} == {NotSent}


def test_where_nothing_can_be_read_the_start_page_is_the_probe() -> None:
    async def work(scene: Scene) -> list[object]:
        await scene.client.credential.token()
        await scene.clock.sleep(60)
        with pytest.raises(NotSent):
            await scene.client.write(POST, nothing)
        tries = (scene.client.write(POST, nothing) for _ in range(3))
        return await asyncio.gather(*tries, return_exceptions=True)

    found, scene = played(work, out(60, 200, FAILURES["refused"]))

    assert [type(each) for each in found] == [Reply] * 3
    asked = [request for request in scene.target.requests if request.operation == "probe"]
    assert {(request.method, request.path) for request in asked} == {("GET", "/")}


def test_a_stop_ends_the_waiting() -> None:
    async def work(scene: Scene) -> list[object]:
        await begun(scene)
        await scene.clock.sleep(60)
        waiting = [asyncio.create_task(scene.read(number)) for number in range(8)]
        waiting.append(asyncio.create_task(scene.client.write(POST, nothing)))  # type: ignore[arg-type]
        await scene.clock.sleep(100)
        scene.client.close()
        return await asyncio.gather(*waiting, return_exceptions=True)

    found, scene = played(work, out(60, 1e9, FAILURES["refused"]))

    assert {type(each) for each in found} <= {Closed, NotSent}
    assert scene.took < 160 + LONGEST_PAUSE


async def nothing() -> None:
    """Before a write there is nothing to be done."""


# Logins.


async def logged_in(scene: Scene) -> str:
    return (await scene.client.credential.token()).header_value


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_login_that_fails_once_does_not_end_the_night(failure: Answer) -> None:
    token, scene = played(logged_in, out(0, 0.5, failure))

    assert token == "Bearer t1"
    assert scene.target.count("login") == 2


@pytest.mark.parametrize("answer", ["503", "500"])
def test_a_login_is_tried_for_as_long_as_an_outage_may_last(answer: str) -> None:
    token, scene = played(logged_in, out(0, 500, FAILURES[answer]))

    assert token == "Bearer t1"
    assert 500 < scene.took < 500 + 2 * LONGEST_PAUSE
    assert scene.target.count("login") < 30
    assert len(scene.told) == 2


def test_a_login_that_is_throttled_waits_as_asked() -> None:
    token, scene = played(logged_in, out(0, 100, lambda clock: reply(clock, 429, retry_after="40")))

    assert token == "Bearer t1"
    assert scene.target.count("login") == 4


def unreachable(rule: Callable[[VirtualClock], Rule], **given: Any) -> tuple[Unreachable, Scene]:
    """How a login ended."""

    async def work(scene: Scene) -> Unreachable:
        with pytest.raises(Unreachable) as caught:
            await scene.client.credential.token()
        return caught.value

    found: tuple[Unreachable, Scene] = played(work, rule, **given)
    return found


@pytest.mark.parametrize("failure", ["refused", "lost"])
def test_a_target_that_was_never_reached_is_not_waited_for_long(failure: str) -> None:
    error, scene = unreachable(out(0, 1e9, FAILURES[failure]))

    assert START_SECONDS <= scene.took < 20
    assert error.message.startswith("bank.example:443 can't be reached: ")
    assert error.exit_code == 75


def test_a_target_that_hangs_at_the_login_is_given_up_in_time() -> None:
    async def work(scene: Scene) -> None:
        async def hang(request: Request, headers: dict[str, str]) -> Reply:
            await scene.clock.sleep(request.deadline_seconds)
            raise MaybeSent(f"no complete answer within {request.deadline_seconds:.0f} s")

        scene.target.send = hang  # type: ignore[method-assign]
        with pytest.raises(Unreachable):
            await scene.client.credential.token()

    _, scene = played(work)

    assert scene.took < 20


def test_a_login_that_answers_5xx_for_ever_is_unreachable_in_the_end() -> None:
    error, scene = unreachable(out(0, 1e9, FAILURES["503"]), wait=60)

    assert "the login was answered with HTTP 503" in error.message
    assert 60 <= scene.took < 95


def test_a_throttling_that_lasts_longer_than_anybody_waits_is_said_at_once() -> None:
    _, scene = unreachable(out(0, 1e9, lambda clock: reply(clock, 429, retry_after="3600")))

    assert scene.took < 5


@pytest.mark.parametrize("body", [b"<html>", b"", b"{}", b"[1]", b'{"headerName": "A", "headerValue": 3.5}'])
def test_an_answer_to_a_login_that_makes_no_sense_is_tried_a_few_times_and_refuses_nothing(body: bytes) -> None:
    error, scene = unreachable(out(0, 1e9, lambda clock: Reply(200, {}, body, clock.now())))

    assert scene.target.count("login") == READ_ATTEMPTS
    assert scene.took < 20
    assert "the answer to the login can't be used" in error.message


@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_in_somebody_elses_words_is_none_and_does_not_lock_the_account(status: int) -> None:
    page = {"content_type": "text/html"}
    error, scene = unreachable(out(0, 1e9, lambda clock: Reply(status, page, b"<h1>Forbidden</h1>", clock.now())))

    assert scene.target.count("login") == MOST_FAILED_LOGINS
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize("status", [301, 302, 307, 404, 405, 410])
def test_a_login_that_is_not_there_is_about_the_address(status: int) -> None:
    async def work(scene: Scene) -> NotPermitted:
        with pytest.raises(NotPermitted) as caught:
            await scene.client.credential.token()
        return caught.value

    error, scene = played(work, out(0, 1e9, lambda clock: reply(clock, status)))

    assert error.hint == "check --base-url"
    assert f"HTTP {status}" in error.message
    assert scene.target.count("login") == 1


def test_a_refusal_in_the_targets_own_words_is_one_at_once() -> None:
    async def work(scene: Scene) -> None:
        with pytest.raises(NotPermitted):
            await scene.client.credential.token()

    _, scene = played(work, out(0, 1e9, lambda clock: reply(clock, 401, REFUSAL)))

    assert scene.target.count("login") == 1


def test_a_token_that_ends_in_an_outage_is_replaced_when_that_is_over() -> None:
    async def work(scene: Scene) -> list[int]:
        await begun(scene)
        await scene.clock.sleep(740)  # the token is to be renewed, and the target is gone
        return await asyncio.gather(*(scene.read(number) for number in range(16)))

    found, scene = played(work, out(700, 1100, FAILURES["refused"]))

    assert found == [200] * 16
    assert scene.target.count("login") < 40


def test_a_token_may_end_while_everybody_waits() -> None:
    async def work(scene: Scene) -> list[int]:
        await begun(scene)
        await scene.clock.sleep(60)
        return await asyncio.gather(*(scene.read(number) for number in range(16)))

    found, scene = played(work, out(60, 1100, FAILURES["503"]), wait=2000)

    assert found == [200] * 16
    assert 1100 < scene.took < 1100 + 3 * LONGEST_PAUSE
    assert len(scene.target.requests) < 150


def test_after_an_outage_of_the_login_alone_all_go_on() -> None:
    async def work(scene: Scene) -> list[int]:
        await begun(scene)
        await scene.clock.sleep(890)
        return await asyncio.gather(*(scene.read(number) for number in range(16)))

    found, scene = played(work, out(700, 1100, FAILURES["503"], "find", "profile"))

    assert found == [200] * 16
    assert scene.took < 1100 + 2 * LONGEST_PAUSE
