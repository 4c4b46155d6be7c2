"""The way to the target and back: a `Sender` that loses, delays, repeats and spoils calls as the seed says."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from typing import Any

from jobs.systems.messages import Reply, Request
from jobs.transport.sender import MaybeSent, NotSent

from .answers import Answer, encoded, refusal
from .faults import CREATES, NO_IDS, NOT_APPLIED, SPOILT, STEPS, WHIMS, Fault, Weather
from .records import Moment
from .target import Arrival, Target

VISIBLE_SECONDS = 5.9
"""What the engine relies on: so long after a client gave up, a commit is there and can be read."""


@dataclass(order=True)
class Call:
    """A request that will reach the target, whatever becomes of its client."""

    commit_at: float
    number: int
    at: float = field(compare=False)
    request: Request = field(compare=False)
    auth: str = field(compare=False)
    moment: Moment = field(compare=False)
    refused: Answer | None = field(compare=False)
    """The answer of something in front of the target, which then is not asked."""
    answer: Answer | None = field(default=None, compare=False)

    @property
    def body(self) -> Any:
        """What is sent."""
        return json.loads(self.request.body) if self.request.body else None


@dataclass(eq=False)
class Written:
    """One write as its client knows it."""

    key: str | None
    step: str
    at: float
    """When it was known last to be under way: when it was sent, or when its client gave it up."""
    answered: bool = False


class Network:
    """Calls under way to one target; they go on when a client dies."""

    def __init__(self, target: Target, weather: Weather, log: Callable[[str], None], rows: Mapping[str, int]) -> None:
        self.target, self.weather, self.log, self.rows = target, weather, log, rows
        self.delivered: list[tuple[str, str]] = []
        """(operation, server id) of each create whose whole answer reached a client."""
        self.told: defaultdict[str, set[Fault]] = defaultdict(set)
        """By key: the untrue answers that its writes were given."""
        self.bound: set[str] = set()
        """Ids that the ledger knows as somebody's."""
        self.written: list[Written] = []
        self._sites: Counter[tuple[int, str]] = Counter()
        self._under_way: list[Call] = []
        self._numbers = 0

    def site(self, request: Request) -> str:
        """Which call it is: row, operation, its how-manieth such call."""
        place = (self._row(request), request.operation)
        self._sites[place] += 1
        return f"{place[0]}/{place[1]}/{self._sites[place]}"

    def _row(self, request: Request) -> int:
        """The row that it is about; 0: none."""
        name = dict(request.query).get("identity")
        if request.body is not None or "/customers/" in request.path:
            name = written_key(self.target, request, json.loads(request.body or b"{}"))
        return self.rows.get(name or "", 0)

    def depart(self, call: Call) -> Call:
        """The request is on its way and can't be called back."""
        self._numbers += 1
        call.number = self._numbers
        self._under_way.append(call)
        return call

    def coming(self, key: str, step: str | None) -> bool:
        """Whether a write for `key` is still on its way and may be applied; of `step` where there is one."""
        return any(
            call.refused is None
            and call.request.operation in STEPS
            and step in (None, STEPS[call.request.operation])
            and written_key(self.target, call.request, call.body) == key
            for call in self._under_way
        )

    def advance(self, now: float) -> None:
        """What the target does up to `now`, in the order of its commits."""
        due = sorted(call for call in self._under_way if call.commit_at <= now)
        self._under_way = [call for call in self._under_way if call.commit_at > now]
        for call in due:
            self._commit(call)

    def _commit(self, call: Call) -> None:
        request, body = call.request, call.body
        key = written_key(self.target, request, body)
        call.answer = call.refused or self.target.answer(
            request.method, request.path, dict(request.query), body, call.auth, call.moment
        )
        step = STEPS.get(request.operation) if request.method == "POST" else None
        write_key = body.get("externalUniqueId") if step and isinstance(body, dict) else None
        self.target.journal.append(Arrival(call.at, step, key, call.answer.status, write_key))
        self.log(f"{call.commit_at:.3f} target {request.operation} {key or request.path[-24:]} {call.answer.status}")


def written_key(target: Target, request: Request, body: Any) -> str | None:
    """The key of the customer that a call is about."""
    if request.operation == "create_customer":
        return str(body["externalUniqueId"])
    parts = request.path.split("/")
    number = parts[parts.index("customers") + 1] if "customers" in parts[:-1] else ""
    customer = target.customers.get(int(number)) if number.isdigit() else None
    return None if customer is None else customer.key


@dataclass
class Connection:
    """One connection to the target, used by one call at a time."""

    unread: Reply | None = None
    """An answer that nobody asked for, and that the next who reads will get."""

    def usable(self) -> bool:
        """The rule of the sender: a connection on which anything is unread is closed and never used."""
        return self.unread is None


class Wire:
    """`Sender` of one process. `cross` is awaited wherever the process may die."""

    def __init__(
        self, network: Network, now: Callable[[], datetime], cross: Callable[[str, str], Awaitable[None]]
    ) -> None:
        self.network, self.now, self.cross = network, now, cross
        self._idle: list[Connection] = []

    async def reach(self) -> None:
        """There is nothing to connect to."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def send(self, request: Request, headers: dict[str, str]) -> Reply:
        """See `Sender`."""
        site = self.network.site(request)
        await self.cross(f"before {request.operation}", site)
        written = self._written(request)
        try:
            reply = await self._exchanged(request, headers, site)
        except NotSent:
            self.network.written.remove(written) if written else None
            raise
        except MaybeSent:
            if written:
                written.at = self._time()
            raise
        if written:
            written.answered = True
        await self.cross(f"after {request.operation}", site)
        return reply

    def _written(self, request: Request) -> Written | None:
        if request.operation not in STEPS:
            return None
        key = written_key(self.network.target, request, json.loads(request.body or b"{}"))
        written = Written(key, STEPS[request.operation], self._time())
        self.network.written.append(written)
        return written

    async def _exchanged(self, request: Request, headers: dict[str, str], site: str) -> Reply:
        """The answer, right or wrong; a connection is kept when it gave one."""
        weather = self.network.weather
        fault, dice = weather.pick(request, site), weather.parts.dice(site, "way")
        if fault is not None:
            self.network.log(f"{self._time():.3f} fault {fault} {site}")
        if fault in {Fault.NOT_SENT, Fault.LOST_BEFORE}:
            await asyncio.sleep(dice.uniform(0.001, 0.5))
            raise NotSent("refused") if fault is Fault.NOT_SENT else MaybeSent("connection lost")
        connection = self._connection()
        call, reply_at, gone_at = self._planned(request, headers.get("Authorization", ""), fault, dice)
        await asyncio.sleep(min(reply_at, gone_at) - self._time())
        if reply_at >= gone_at:
            raise MaybeSent("no complete answer")
        self.network.advance(self._time())
        before, reply = connection.unread, self._received(call, fault, dice)
        connection.unread = reply if fault is Fault.TWICE or before else None
        self._idle.append(connection)
        if before is not None:
            return before
        self._note(call, reply)
        return reply

    def _connection(self) -> Connection:
        """The one that was idle for the shortest time, or a new one."""
        connection = self._idle.pop() if self._idle else Connection()
        self.network.weather.reached[Fault.TWICE] += connection.unread is not None
        return connection if connection.usable() else Connection()

    def _planned(self, request: Request, auth: str, fault: Fault | None, dice: Random) -> tuple[Call, float, float]:
        """The call under way; when its answer will be here; when the client will have given up."""
        now = self._time()
        arrives = now + dice.uniform(0.001, 0.08)
        commits = arrives + dice.uniform(0.001, 0.05)
        answers, gives_up = commits + dice.uniform(0.001, 0.08), now + request.deadline_seconds
        if fault is Fault.SLOW:
            answers = commits + dice.uniform(1, 1.3 * request.deadline_seconds)
        elif fault is Fault.LOST_AFTER:
            gives_up = answers
        elif fault is Fault.LATE:
            gives_up = answers
            commits = gives_up + dice.uniform(0.1, 3.0)
        lag = 0.0
        if fault is Fault.STALE or (self.network.weather.lags and dice.random() < 0.5):
            lag = dice.uniform(0, min(5.0, min(answers, gives_up) + VISIBLE_SECONDS - commits))
        if fault is Fault.REVOKED:
            self.network.target.revoke()
        moment = Moment(commits, lag, fault if fault in WHIMS else None, dice)
        call = Call(commits, 0, arrives, request, auth, moment, self._in_front(fault, request, dice))
        return self.network.depart(call), answers, gives_up

    def _in_front(self, fault: Fault | None, request: Request, dice: Random) -> Answer | None:
        if fault not in NOT_APPLIED:
            return None
        if fault is Fault.ERROR_BEFORE:
            return Answer(dice.choice((500, 502, 503, 504)))
        if fault is Fault.REDIRECTED:
            return Answer(302)
        if fault in {Fault.TAKEN_BEFORE, Fault.REFUSED}:
            self._tell(request, fault)
            taken = fault is Fault.TAKEN_BEFORE
            return refusal(409, "USR004", "exists already") if taken else refusal(400, "IAE002", "not today")
        return refusal(400, "RLT001", "slow down") if fault is Fault.LIMIT_CODE else refusal(429, "RLT001", "slow down")

    def _tell(self, request: Request, fault: Fault) -> None:
        key = written_key(self.network.target, request, json.loads(request.body or b"{}"))
        self.network.told[str(key)].add(fault)

    def _received(self, call: Call, fault: Fault | None, dice: Random) -> Reply:
        """The answer as it comes out of the network."""
        answer = call.answer
        assert answer is not None
        status, body, headers = answer.status, encoded(answer.body), {"date": self._date(0)}
        well = 200 <= status < 300
        if fault in SPOILT and well:
            body = SPOILT[fault]
        elif fault is Fault.ERROR_AFTER:
            status, body = dice.choice((500, 502, 503, 504)), b"<html>"
        elif fault is Fault.SEE_OTHER and well:
            status, body, headers["location"] = 303, b"", "/elsewhere"
        elif fault is Fault.TAKEN_AFTER and well:
            self._tell(call.request, fault)
            status, code = dice.choice(((409, "USR009"), (400, "USR004")))
            body = encoded(refusal(status, code, "exists already").body)
        elif fault is Fault.THROTTLED_FOR:
            headers["retry-after"] = dice.choice(("0", "1", "7", "²", self._date(4)))
        elif fault in {Fault.FOREIGN, Fault.NO_ID, Fault.OTHER_PROFILE} and well:
            body = encoded(self._about_another(call, fault, dice))
        return Reply(status, headers, body, self.now())

    def _about_another(self, call: Call, fault: Fault | None, dice: Random) -> Any:
        """The answer with an id that is not its own: another's, or none."""
        assert call.answer is not None
        body, creates = dict(call.answer.body), call.request.operation == "create_customer"
        name = "walletId" if call.request.operation == "create_wallet" else "customerId"
        if fault is Fault.NO_ID:
            return body | {name: dice.choice(NO_IDS)}
        others = [other for other in self.network.target.shown_of(name) if other[name] != body[name]]
        known = [other[name] for other in others if str(other[name]) in self.network.bound]
        if not others or not (known or creates or fault is Fault.OTHER_PROFILE):
            return body
        self.network.weather.reached[str(fault)] += 1
        if fault is Fault.FOREIGN and known and dice.random() < 0.7:
            return body | {name: dice.choice(known)}
        return dice.choice(others)

    def _note(self, call: Call, reply: Reply) -> None:
        """What a client can know of a create now."""
        if call.answer is None or reply.status != 200 or reply.body != encoded(call.answer.body):
            return
        if call.request.operation in CREATES:
            name = "walletId" if call.request.operation == "create_wallet" else "customerId"
            self.network.delivered.append((call.request.operation, str(call.answer.body[name])))

    def _date(self, seconds: float) -> str:
        """The target's clock, which no step of ours moves."""
        return format_datetime(datetime.fromtimestamp(self.network.target.epoch + self._time() + seconds, UTC), True)

    def _time(self) -> float:
        return asyncio.get_running_loop().time()
