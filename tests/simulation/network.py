"""The way to the target and back: a `Sender` that loses, delays, repeats and spoils calls as the seed says."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from random import Random
from typing import Any

from jobs.systems.exchange import Reply, Request
from jobs.transport.sender import MaybeSent, NotSent

from .answers import Answer, encoded, refusal
from .target import Arrival, Target

VISIBLE_SECONDS = 5.9
"""What the engine relies on: so long after a client gave up, a commit is there and can be read."""


class Fault(StrEnum):
    """What can happen to one call."""

    NOT_SENT = "not sent"
    LOST_BEFORE = "lost before commit"
    LOST_AFTER = "lost after commit"
    LATE = "late commit"
    SLOW = "slow"
    STALE = "reads lag"
    HALF = "half a body"
    GARBAGE = "garbage"
    EMPTY = "empty body"
    ERROR_BEFORE = "5xx before commit"
    ERROR_AFTER = "5xx after commit"
    THROTTLED = "429"
    THROTTLED_FOR = "429 with Retry-After"
    LIMIT_CODE = "RLT001 under 400"
    TAKEN_AFTER = "409 after commit"
    TAKEN_BEFORE = "409 without cause"
    REDIRECTED = "302"
    REVOKED = "401 wave"
    MOVED = "pages move"


WRITES_ONLY = frozenset({Fault.LATE, Fault.STALE, Fault.TAKEN_AFTER, Fault.TAKEN_BEFORE, Fault.LOST_AFTER})
NOT_APPLIED = frozenset(
    {
        Fault.ERROR_BEFORE,
        Fault.THROTTLED,
        Fault.THROTTLED_FOR,
        Fault.LIMIT_CODE,
        Fault.TAKEN_BEFORE,
        Fault.REDIRECTED,
    }
)
SPOILT = {Fault.HALF: b'{"customerId": 10', Fault.GARBAGE: b"<html>\xff\xfe Bad Gateway", Fault.EMPTY: b""}


@dataclass
class Weather:
    """Which faults come, and how often a call meets one."""

    random: Random
    faults: tuple[Fault, ...] = ()
    rate: float = 0.0
    reached: Counter[str] = field(default_factory=Counter)

    @classmethod
    def drawn(cls, random: Random) -> "Weather":
        """A few kinds of fault, now and then or often: many seeds meet all combinations."""
        kinds = tuple(random.sample(list(Fault), random.randint(1, len(Fault))))
        return cls(random, kinds, random.choice((0.02, 0.08, 0.2, 0.35)))

    def pick(self, request: Request) -> Fault | None:
        """The fault of this call, None when it goes well. Writes meet twice as many."""
        possible = [fault for fault in self.faults if can_meet(request, fault)]
        often = self.rate * (2 if request.operation in STEPS else 1)
        if not possible or self.random.random() >= often:
            return None
        fault = self.random.choice(possible)
        self.reached[fault] += 1
        return fault


@dataclass
class Planned(Weather):
    """The faults that a test names: (operation, its how-manieth call) to fault."""

    plan: Mapping[tuple[str, int], Fault] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def pick(self, request: Request) -> Fault | None:
        """The named one."""
        self.calls[request.operation] += 1
        fault = self.plan.get((request.operation, self.calls[request.operation]))
        self.reached.update([fault] if fault else [])
        return fault


def can_meet(request: Request, fault: Fault) -> bool:
    """Whether such a call can have such a fault."""
    if fault in {Fault.TAKEN_AFTER, Fault.TAKEN_BEFORE}:
        return request.operation in {"create_customer", "create_wallet"}
    if fault is Fault.MOVED:
        return request.operation == "search_customers"
    return fault not in WRITES_ONLY or request.operation in STEPS


@dataclass(order=True)
class Call:
    """A request that will reach the target, whatever becomes of its client."""

    commit_at: float
    number: int
    at: float = field(compare=False)
    request: Request = field(compare=False)
    auth: str = field(compare=False)
    lag: float = field(compare=False)
    refused: Answer | None = field(compare=False)
    """The answer of something in front of the target, which then is not asked."""
    answer: Answer | None = field(default=None, compare=False)


class Network:
    """Calls under way to one target; they go on when a client dies."""

    def __init__(self, target: Target, weather: Weather, log: Callable[[str], None]) -> None:
        self.target, self.weather, self.log = target, weather, log
        self.delivered: list[tuple[str, str]] = []
        """(operation, server id) of each create whose whole answer reached a client."""
        self.spurious: set[str] = set()
        """Keys of creates that were refused as taken without cause."""
        self.unproven: set[str] = set()
        """Keys of creates that were done, and nevertheless refused as taken."""
        self._under_way: list[Call] = []
        self._numbers = 0

    def depart(self, call: Call) -> Call:
        """The request is on its way and can't be called back."""
        self._numbers += 1
        call.number = self._numbers
        self._under_way.append(call)
        return call

    def coming(self, key: str) -> bool:
        """Whether a write for `key` is still on its way and will be applied."""
        return any(
            call.refused is None
            and call.request.operation in STEPS
            and written_key(self.target, call.request, json.loads(call.request.body or b"{}")) == key
            for call in self._under_way
        )

    def advance(self, now: float) -> None:
        """What the target does up to `now`, in the order of its commits."""
        due = sorted(call for call in self._under_way if call.commit_at <= now)
        self._under_way = [call for call in self._under_way if call.commit_at > now]
        for call in due:
            self._commit(call)

    def _commit(self, call: Call) -> None:
        request = call.request
        body = json.loads(request.body) if request.body else None
        key_of = written_key(self.target, request, body)
        call.answer = call.refused or self.target.answer(
            request.method, request.path, dict(request.query), body, call.auth, call.commit_at, call.lag
        )
        step = STEPS.get(request.operation) if request.method == "POST" else None
        self.target.journal.append(Arrival(call.at, step, key_of, call.answer.status))
        self.log(f"{call.commit_at:.3f} target {request.operation} {key_of or request.path[-24:]} {call.answer.status}")


STEPS = {"create_customer": "customer", "trigger_kyc": "kyc", "create_wallet": "wallet"}


def written_key(target: Target, request: Request, body: Any) -> str | None:
    """The key of the customer that a write is about."""
    if request.operation == "create_customer":
        return str(body["externalUniqueId"])
    parts = request.path.split("/")
    number = parts[parts.index("customers") + 1] if "customers" in parts[:-1] else ""
    customer = target.customers.get(int(number)) if number.isdigit() else None
    return None if customer is None else customer.key


class Wire:
    """`Sender` of one process. `cross` is awaited wherever the process may die."""

    def __init__(self, network: Network, random: Random, now: Callable[[], datetime], cross: Any) -> None:
        self.network, self.random, self.now, self.cross = network, random, now, cross

    async def reach(self) -> None:
        """There is nothing to connect to."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def send(self, request: Request, headers: dict[str, str]) -> Reply:
        """See `Sender`."""
        await self.cross(f"before {request.operation}")
        fault = self.network.weather.pick(request)
        if fault is not None:
            self.network.log(f"{self._time():.3f} fault {fault} {request.operation}")
        if fault in {Fault.NOT_SENT, Fault.LOST_BEFORE}:
            await asyncio.sleep(self.random.uniform(0.001, 0.5))
            raise NotSent("refused") if fault is Fault.NOT_SENT else MaybeSent("connection lost")
        call, reply_at, gone_at = self._planned(request, headers.get("Authorization", ""), fault)
        await asyncio.sleep(min(reply_at, gone_at) - self._time())
        if reply_at >= gone_at:
            raise MaybeSent("no complete answer")
        self.network.advance(self._time())
        reply = self._received(call, fault)
        await self.cross(f"after {request.operation}")
        return reply

    def _planned(self, request: Request, auth: str, fault: Fault | None) -> tuple[Call, float, float]:
        """The call under way; when its answer will be here; when the client will have given up."""
        random, now = self.random, self._time()
        arrives = now + random.uniform(0.001, 0.08)
        commits = arrives + random.uniform(0.001, 0.05)
        answers, gives_up = commits + random.uniform(0.001, 0.08), now + request.deadline_seconds
        if fault is Fault.SLOW:
            answers = commits + random.uniform(1, 1.3 * request.deadline_seconds)
        elif fault is Fault.LOST_AFTER:
            gives_up = answers
        elif fault is Fault.LATE:
            gives_up = answers
            commits = gives_up + random.uniform(0.1, 3.0)
        lag = 0.0
        if fault is Fault.STALE or random.random() < 0.3 * (Fault.STALE in self.network.weather.faults):
            lag = random.uniform(0, min(5.0, min(answers, gives_up) + VISIBLE_SECONDS - commits))
        if fault is Fault.REVOKED:
            self.network.target.revoke()
        self.network.target.moved = fault is Fault.MOVED
        call = Call(commits, 0, arrives, request, auth, lag, self._in_front(fault, request))
        return self.network.depart(call), answers, gives_up

    def _in_front(self, fault: Fault | None, request: Request) -> Answer | None:
        if fault not in NOT_APPLIED:
            return None
        if fault is Fault.ERROR_BEFORE:
            return Answer(self.random.choice((500, 502, 503, 504)))
        if fault is Fault.TAKEN_BEFORE:
            body = json.loads(request.body or b"{}")
            key = written_key(self.network.target, request, body)
            self.network.spurious.add(str(key))
            return refusal(409, "USR004", "exists already")
        if fault is Fault.REDIRECTED:
            return Answer(302)
        return refusal(400, "RLT001", "slow down") if fault is Fault.LIMIT_CODE else refusal(429, "RLT001", "slow down")

    def _received(self, call: Call, fault: Fault | None) -> Reply:
        """The answer as it comes out of the network."""
        answer = call.answer
        assert answer is not None
        status, body, headers = answer.status, encoded(answer.body), {"date": format_datetime(self.now(), usegmt=True)}
        if fault in SPOILT and 200 <= status < 300:
            body = SPOILT[fault]
        elif fault is Fault.ERROR_AFTER:
            status, body = self.random.choice((500, 502, 503, 504)), b"<html>"
        elif fault is Fault.TAKEN_AFTER and status == 200:
            self.network.unproven.add(
                str(written_key(self.network.target, call.request, json.loads(call.request.body or b"{}")))
            )
            status, code = self.random.choice(((409, "USR009"), (400, "USR004")))
            body = encoded(refusal(status, code, "exists already").body)
        elif fault is Fault.THROTTLED_FOR:
            headers["retry-after"] = self.random.choice(("0", "1", "7", "²"))
        elif 200 <= status < 300 and isinstance(answer.body, dict):
            for member in ("walletId", "customerId"):
                if member in answer.body and call.request.method == "POST":
                    self.network.delivered.append((call.request.operation, str(answer.body[member])))
                    break
        return Reply(status, headers, body, self.now())

    def _time(self) -> float:
        return asyncio.get_running_loop().time()
