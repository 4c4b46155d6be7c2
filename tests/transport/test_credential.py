"""One token for all workers: one login, one renewal in good time, one login for a wave of refusals, and no lock-out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from scripted import Rule, Scripted, reply
from virtual import VirtualClock, virtually

from jobs.errors import NotPermitted
from jobs.keys import KeySpace
from jobs.model import Secrets
from jobs.systems.eclipse.system import Eclipse
from jobs.systems.messages import CallClass, Reply, Token
from jobs.transport.client import Client
from jobs.transport.credential import MOST_FAILED_LOGINS, Credential
from jobs.transport.limiter import Limiter

SECRETS = Secrets(identity="operator", password="hunter2-hunter2")

REFUSAL = [{"type": "SECURITY", "code": "USR002", "description": "wrong", "traceId": "t"}]


def asked(work: Callable[[Credential, Scripted], Awaitable[Any]], **given: Any) -> tuple[Any, Scripted]:
    """What `work` gave with a credential over a scripted target, and the target."""

    async def main() -> tuple[Any, Scripted]:
        clock = VirtualClock()
        secrets = given.pop("secrets", SECRETS)
        rule: Callable[[VirtualClock], Rule] = given.pop("rule", lambda _clock: lambda _request, _headers: None)
        target = Scripted(clock, rule(clock), **given)
        limiters = {call_class: Limiter(clock) for call_class in CallClass}
        eclipse = Eclipse("1001", KeySpace.of("eclipse", "1001"))
        client = Client(eclipse, target, secrets, tenant="1001", limiters=limiters, clock=clock)
        return await work(client.credential, target), target

    return virtually(main)


async def refusals(credential: Credential, times: int) -> list[str]:
    """The sentences of so many vain tries to get a token, 16 at a time."""

    async def one() -> str:
        with pytest.raises(NotPermitted) as caught:
            await credential.token()
        return caught.value.message

    return await asyncio.gather(*(one() for _ in range(times)))


def test_sixteen_workers_share_one_login() -> None:
    async def work(credential: Credential, _target: Scripted) -> set[str]:
        tokens = await asyncio.gather(*(credential.token() for _ in range(16)))
        return {token.header_value for token in tokens}

    tokens, target = asked(work, latency=3.0)

    assert tokens == {"Bearer t1"}
    assert target.count("login") == 1


@pytest.mark.parametrize(
    ("life", "still_good_at", "renewed_at"),
    [(900, 719, 721), (86400, 86099, 86101), (1500, 1199, 1201), (300, 239, 241), (30, 23.5, 24.5)],
)
def test_a_token_is_renewed_below_five_minutes_or_a_fifth_of_its_life(
    life: float, still_good_at: float, renewed_at: float
) -> None:
    async def work(credential: Credential, target: Scripted) -> list[int]:
        await credential.token()
        await target.clock.sleep(still_good_at)
        await credential.token()
        before = target.count("renew")
        await target.clock.sleep(renewed_at - still_good_at)
        await asyncio.gather(*(credential.token() for _ in range(16)))
        return [before, target.count("renew")]

    seen, target = asked(work, life=life, latency=0.0)

    assert seen == [0, 1]
    assert target.count("login") == 1


def test_a_renewal_presents_the_old_token_and_gives_a_new_one() -> None:
    async def work(credential: Credential, target: Scripted) -> str:
        await credential.token()
        await target.clock.sleep(750)
        return (await credential.token()).header_value

    token, target = asked(work)

    assert token == "Bearer t2"
    assert target.presented == [None, "Bearer t1"]
    assert target.requests[1].body == b'{"jwt":"t1"}'


def test_a_wave_of_refused_tokens_is_followed_by_one_login() -> None:
    async def work(credential: Credential, target: Scripted) -> set[str]:
        old = await credential.token()

        async def refused_after(seconds: float) -> Token:
            await target.clock.sleep(seconds)
            return await credential.refused(old)

        fresh = await asyncio.gather(*(refused_after(number / 10) for number in range(16)))
        return {token.header_value for token in fresh}

    tokens, target = asked(work, latency=0.5)

    assert tokens == {"Bearer t2"}
    assert (target.count("login"), target.count("renew")) == (2, 0)


def test_a_wave_of_refused_tokens_after_which_no_login_is_possible_stops_every_worker() -> None:
    async def work(credential: Credential, target: Scripted) -> list[object]:
        old = await credential.token()
        return await asyncio.gather(*(credential.refused(old) for _ in range(5)), return_exceptions=True)

    def rule(clock: VirtualClock) -> Rule:
        return lambda _request, _headers: reply(clock, 401) if clock.monotonic() > 1000.15 else None

    ends, _target = asked(work, rule=rule)

    assert {type(end) for end in ends} == {NotPermitted}


@pytest.mark.parametrize("status", [400, 401, 403, 500, 200])
def test_a_renewal_that_fails_is_followed_by_a_login(status: int) -> None:
    async def work(credential: Credential, target: Scripted) -> str:
        await credential.token()
        await target.clock.sleep(750)
        return (await credential.token()).header_value

    def rule(clock: VirtualClock) -> Rule:
        return lambda request, _headers: reply(clock, status, []) if request.operation == "renew" else None

    token, target = asked(work, rule=rule)

    assert token == "Bearer t2"
    assert target.count("login") == 2


@pytest.mark.parametrize("answer", [(401, None), (403, REFUSAL), (400, REFUSAL)])
def test_after_three_refused_logins_nobody_tries_again(answer: tuple[int, object]) -> None:
    def rule(clock: VirtualClock) -> Rule:
        return lambda _request, _headers: reply(clock, *answer)

    async def work(credential: Credential, _target: Scripted) -> list[str]:
        return await refusals(credential, 16)

    sentences, target = asked(work, rule=rule)

    assert target.count("login") == MOST_FAILED_LOGINS
    assert "3 logins were refused" in sentences[-1]
    assert not any("hunter2" in sentence for sentence in sentences)


def test_a_credential_of_another_tenant_stops_before_any_other_call() -> None:
    async def work(credential: Credential, _target: Scripted) -> list[str]:
        return await refusals(credential, 5)

    sentences, target = asked(work, tenant=2002)

    assert "tenant 2002, not to 1001" in sentences[0]
    assert {request.operation for request in target.requests} == {"login"}
    assert len(target.requests) == MOST_FAILED_LOGINS


def test_a_given_token_is_used_as_it_is_and_never_exchanged() -> None:
    async def work(credential: Credential, target: Scripted) -> list[str]:
        first = await credential.token()
        await target.clock.sleep(10_000_000)
        again = await credential.token()
        with pytest.raises(NotPermitted, match="refuses the given token"):
            await credential.refused(again)
        with pytest.raises(NotPermitted, match="refuses the given token"):
            await credential.token()
        return [first.header_value, again.header_value]

    tokens, target = asked(work, secrets=Secrets(token="abc"))

    assert tokens == ["Bearer abc", "Bearer abc"]
    assert target.requests == []


def test_a_given_token_keeps_its_scheme() -> None:
    async def work(credential: Credential, _target: Scripted) -> str:
        return (await credential.token()).header_value

    assert asked(work, secrets=Secrets(token="bearer x.y.z"))[0] == "bearer x.y.z"


@pytest.mark.parametrize("secrets", [Secrets(), Secrets(identity="operator"), Secrets(password="x")])
def test_without_a_credential_nothing_is_sent(secrets: Secrets) -> None:
    async def work(credential: Credential, _target: Scripted) -> list[str]:
        return await refusals(credential, 1)

    sentences, target = asked(work, secrets=secrets)

    assert sentences == ["no credential"]
    assert target.requests == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_login_that_fails_for_a_while_is_tried_again(status: int) -> None:
    def rule(clock: VirtualClock) -> Rule:
        failures = iter([reply(clock, status), reply(clock, status), reply(clock, status)])
        return lambda _request, _headers: next(failures, None)

    async def work(credential: Credential, _target: Scripted) -> str:
        return (await credential.token()).header_value

    token, target = asked(work, rule=rule)

    assert token == "Bearer t1"
    assert target.count("login") == 4


def test_a_token_that_comes_expired_is_not_replaced_before_every_call() -> None:
    async def work(credential: Credential, target: Scripted) -> None:
        for _ in range(100):
            await credential.token()
            await target.clock.sleep(0.01)

    _, target = asked(work, life=-60.0, latency=0.0)

    assert len(target.requests) <= 3


def test_nothing_that_is_printed_shows_a_secret() -> None:
    async def work(credential: Credential, _target: Scripted) -> str:
        token = await credential.token()
        return f"{token!r} {token} {credential!r} {vars(credential)!r} {credential.secrets!r}"

    shown, _ = asked(work)

    for secret in ("hunter2", "t1", "operator"):
        assert secret not in shown


def test_replies_of_a_login_are_counted_even_when_unused() -> None:
    async def work(credential: Credential, target: Scripted) -> Reply:
        return await credential.exchange(credential.system.login("a", "b"), None, lambda reply: reply)

    found, target = asked(work)

    assert found.status == 200
    assert target.requests[0].call_class is CallClass.LOGIN
