"""The wrong versions: each is one change of the real code, undone at the end of its block."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import orjson
from sqlalchemy import delete

from jobs.alive import Process, Watch
from jobs.clock import Clock, Stamp, milliseconds
from jobs.engine import case, opening
from jobs.engine import driver as onboard
from jobs.engine.driver import RowDriver
from jobs.ledger import lease, permits, sqlite, tables
from jobs.ledger.permits import Pool, Reservation
from jobs.ledger.rows import Known, StepRow, StepStatus
from jobs.ledger.store import Store
from jobs.ledger.transitions import Fence, Transitions
from jobs.model import Rate
from jobs.privacy import masking
from jobs.reports.folder import RunFolder
from jobs.systems.eclipse import decision, wire
from jobs.systems.eclipse.customer import CustomerStep
from jobs.systems.eclipse.decision import DecisionStep
from jobs.systems.eclipse.system import Eclipse
from jobs.systems.eclipse.wallet import WalletStep
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Done, Finding, Undecided
from jobs.transport import quota
from jobs.transport.client import Client
from jobs.transport.quota import SharedWindow
from jobs.transport.sender import HttpSender
from tests.simulation.network import Connection

from . import checks

Patch = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Variant:
    """One wrong version and what must catch it."""

    name: str
    patch: Patch
    check: Callable[[], str | None]


def fresh_key() -> AbstractContextManager[Any]:
    """A new key for each attempt."""
    real = CustomerStep.write

    def write(self: CustomerStep, view: View) -> Request:
        request = real(self, view)
        body = orjson.loads(request.body or b"{}") | {"externalUniqueId": f"cust-{uuid.uuid4()}"}
        return replace(request, body=orjson.dumps(body))

    return patch.object(CustomerStep, "write", write)


def intent_after_sending() -> AbstractContextManager[Any]:
    """The ledger hears of a write when it was answered."""

    real = Client._authorised

    async def authorised(self: Client, request: Request, before: Any) -> Reply:
        if before is None:
            return await real(self, request, None)
        try:
            reply = await real(self, request, None)
        except Exception:
            await before()
            raise
        await before()
        return reply

    return patch.object(Client, "_authorised", authorised)


def not_synchronous() -> AbstractContextManager[Any]:
    """The ledger does not wait for the disk."""
    real = sqlite._on_connect

    def connect(connection: Any, *rest: Any) -> None:
        real(connection, *rest)
        connection.execute("PRAGMA synchronous=NORMAL")

    return patch.object(sqlite, "_on_connect", connect)


def forgotten_window() -> AbstractContextManager[Any]:
    """Each process has a window of its own."""

    def reserve(_pool: Pool, rate: Rate, wanted: int, *_: object) -> Reservation:
        return Reservation(wanted, 0.0, rate)

    return patch.object(quota, "reserve", reserve)


def wall_clock_window() -> AbstractContextManager[Any]:
    """Calls are counted on the wall clock."""

    def stamp(self: Clock) -> Stamp:
        shown = milliseconds(self.now())
        return Stamp("", shown, shown)

    return patch.object(Clock, "stamp", stamp)


def forgotten_boots() -> AbstractContextManager[Any]:
    """Only the calls of this boot are counted."""
    return patch.object(permits, "meet", lambda _connection, _pool, now: {now.boot: now.up_ms})


def forgotten_limit() -> AbstractContextManager[Any]:
    """Each process begins with the configured limit, whatever earlier ones were taught."""
    real = SharedWindow.__init__

    def made(self: SharedWindow, *given: Any, **named: Any) -> None:
        real(self, *given, **named)
        with self.pool.store.writes.begin() as connection:
            connection.execute(delete(tables.learned))

    return patch.object(SharedWindow, "__init__", made)


def taken_believed() -> AbstractContextManager[Any]:
    """409 is success."""
    real = WalletStep.classify

    def classify(self: WalletStep, reply: Reply, view: View) -> Any:
        return Done({"wallet_id": "0"}) if reply.status in {400, 409} else real(self, reply, view)

    return patch.object(WalletStep, "classify", classify)


def first_hit() -> AbstractContextManager[Any]:
    """Whoever the search shows first is the customer."""

    async def look(self: CustomerStep, reader: Reader, view: View) -> Finding:
        async for record in wire.pages(reader, self.search((("identity", view.row.values["national_id"]),))):
            return Done({"customer_id": str(record["customerId"])})
        return Absent()

    return patch.object(CustomerStep, "look", look)


def status_taken_as_passed(*wrong: str | None) -> AbstractContextManager[Any]:
    """A status that is no decision passes."""
    real = decision.judged

    def judged(result: Any, customer_id: str, trace: Any) -> Any:
        passed = result.get("status") in wrong
        return real({**result, "status": "PASSED"} if passed else result, customer_id, trace)

    return patch.object(decision, "judged", judged)


def truthy() -> AbstractContextManager[Any]:
    """`allowed` is whatever counts as true in Python."""

    async def allowed(self: WalletStep, reader: Reader, customer_id: str, _: object = None) -> list[str]:
        path = f"{self.tenant_path}/customers/{customer_id}/wallet-types"
        types = await wire.read_records(reader, Request("wallet_types", "GET", path)) or []
        return [str(item["walletTypeId"]) for item in types if item.get("allowed")]

    return patch.object(WalletStep, "allowed", allowed)


def redirected() -> AbstractContextManager[Any]:
    """Redirects are followed."""
    real = HttpSender.send

    async def send(self: HttpSender, request: Request, headers: dict[str, str]) -> Reply:
        reply = await real(self, request, headers)
        if "location" not in reply.headers:
            return reply
        return await real(self, replace(request, path="/", base_url=reply.headers["location"]), headers)

    return patch.object(HttpSender, "send", send)


def kept() -> AbstractContextManager[Any]:
    """A connection is used again although bytes are left on it, as httpx's own transport does."""
    there = httpx.AsyncHTTPTransport(verify=False, trust_env=False)

    async def send(self: HttpSender, request: Request, headers: dict[str, str]) -> Reply:
        asked = httpx.Request(request.method, self.base_url + request.path, headers=headers, content=request.body)
        found = await there.handle_async_request(asked)
        return Reply(found.status_code, dict(found.headers), await found.aread(), self.clock.now())

    async def aclose(_self: HttpSender) -> None:
        await there.aclose()

    return patch.multiple(HttpSender, send=send, aclose=aclose)


def in_place() -> AbstractContextManager[Any]:
    """Reports are written where they will lie."""

    @contextmanager
    def open_atomic(self: RunFolder, name: str) -> Iterator[Path]:
        yield self.path / name

    return patch.object(RunFolder, "open_atomic", open_atomic)


def unmasked() -> AbstractContextManager[Any]:
    """The target's words are masked where they are shown only."""
    return patch.object(masking, "text", lambda value: value)


def unfenced() -> AbstractContextManager[Any]:
    """Who lost the lease goes on."""
    return patch.object(Fence, "hold", lambda *_: None)


def any_namespace() -> AbstractContextManager[Any]:
    """The owner's pid is looked for here, wherever it was one."""
    real = Process.lives

    def lives(self: Process) -> bool | None:
        here = Process.me()
        return real(replace(self, boot=here.boot, namespace=here.namespace))

    return patch.object(Process, "lives", lives)


def wall_clock_death() -> AbstractContextManager[Any]:
    """A heartbeat is dead when it is old by the own wall clock."""
    real = lease._followed

    def followed(connection: Any, space_id: int, owner: Any, now_ms: int, watch: Any) -> int:
        row = lease._space(connection, space_id)
        if watch is not None and now_ms - (row["heartbeat_ms"] or now_ms) > lease.PULSE.dead * 1000:
            watch.silent = float("inf")
        return real(connection, space_id, owner, now_ms, watch)

    return patch.object(lease, "_followed", followed)


def busy_is_silent() -> AbstractContextManager[Any]:
    """Time counts in which nobody could write a heartbeat."""
    return patch.object(Watch, "saw_nothing", lambda self: self.saw(self._sign))


def doubt_not_looked_at() -> AbstractContextManager[Any]:
    """An unanswered write is sent again without a look, and at once."""
    real = RowDriver._look

    async def look(self: RowDriver, step: Any, row: Any) -> Any:
        doubtful = row.step(step.name).doubt_since_ms is not None
        if doubtful and not row.taken and step.name == "kyc":
            row.looked_at = float("inf")
            return Absent()
        return await real(self, step, row)

    return patch.object(RowDriver, "_look", look)


def posted_on_pending() -> AbstractContextManager[Any]:
    """A result that is no decision yet is no result."""
    real = DecisionStep.look

    async def look(self: DecisionStep, reader: Reader, view: View) -> Finding:
        finding = await real(self, reader, view)
        return Absent() if isinstance(finding, Undecided) else finding

    return patch.object(DecisionStep, "look", look)


def doubts_forgotten() -> AbstractContextManager[Any]:
    """A resume takes every step that is not done for open."""
    real = Store.known

    def known(self: Store, space_id: int, keys: Any) -> dict[str, Known]:
        found = real(self, space_id, keys)
        return {
            key: Known(one.record, {name: opened(step) for name, step in one.steps.items()})
            for key, one in found.items()
        }

    def opened(step: StepRow) -> StepRow:
        unsettled = step.status in {StepStatus.INTENDED, StepStatus.DOUBTFUL}
        return StepRow(step.name, StepStatus.OPEN, step.attempts) if unsettled else step

    return patch.object(Store, "known", known)


def early_look() -> AbstractContextManager[Any]:
    """ "Not there" is believed as soon as it is said."""
    return patch.object(onboard, "SETTLE_SECONDS", 0.0)


def row_ended_in_doubt() -> AbstractContextManager[Any]:
    """A row ends at once, whatever a write of it may still become."""
    return patch.object(RowDriver, "_believed", lambda _self, _step, _case, ended: ended)


def redirect_believed() -> AbstractContextManager[Any]:
    """A redirect is a refusal: nothing was applied."""
    return patch.object(RowDriver, "_says_little", lambda _self, case, _status: case.last_sent_at is not None)


def wall_clock_settling() -> AbstractContextManager[Any]:
    """How long ago an earlier process sent a write is read off the wall clock."""

    def sent_earlier(self: RowDriver, step: Any, row: Any) -> float | None:
        since = row.step(step.name).doubt_since_ms
        if since is None:
            return None
        ago = (milliseconds(self.clock.now()) - since) / 1000
        return float(row.sent_at.get(step.name, self.clock.monotonic() - ago))

    return patch.object(RowDriver, "_sent_earlier", sent_earlier)


def chosen_afresh() -> AbstractContextManager[Any]:
    """What an unanswered create asked for is chosen once more."""
    return patch.object(WalletStep, "open", lambda *_: None)


@contextmanager
def sent_otherwise() -> Iterator[None]:
    """The same, and nobody compares the request with the unanswered one."""
    with chosen_afresh(), patch.object(case.Case, "departs", lambda *_: False):
        yield


def claims_ignored() -> AbstractContextManager[Any]:
    """What another key holds may be held once more."""
    return patch.object(Transitions, "_claim", lambda *_: {})


def slow_look() -> AbstractContextManager[Any]:
    """The end of a look counts, not its beginning."""

    def settling(self: RowDriver, step: Any, row: Any) -> float:
        if row.last_sent_at is None:
            return 0.0
        return float(row.last_sent_at + onboard.SETTLE_SECONDS - self.clock.monotonic())

    return patch.object(RowDriver, "_settling", settling)


def unverified() -> AbstractContextManager[Any]:
    """No KYC before the wallet."""
    real = Eclipse.__init__

    def made(self: Eclipse, *given: Any, **named: Any) -> None:
        real(self, *given, **named)
        self.steps = tuple(step for step in self.steps if step is not self.decision)
        steps_of = self.steps_of
        self.steps_of = lambda row: tuple(  # type: ignore[method-assign]  # the defect
            step for step in steps_of(row) if step.name != self.decision.name
        )

    return patch.object(Eclipse, "__init__", made)


def surplus_kept() -> AbstractContextManager[Any]:
    """A connection is used again with an answer unread on it."""
    return patch.object(Connection, "usable", lambda _: True)


VARIANTS = (
    Variant("a fresh key for each attempt", fresh_key, checks.personas),
    Variant("the intent after the sending", intent_after_sending, checks.deaths),
    Variant("synchronous=NORMAL", not_synchronous, checks.deaths),
    Variant("the limiter is forgotten at a restart", forgotten_window, checks.restarts),
    Variant("calls are counted on the wall clock", wall_clock_window, checks.set_clocks),
    Variant("calls of an earlier boot are forgotten", forgotten_boots, checks.set_clocks),
    Variant("a learned limit is forgotten at a restart", forgotten_limit, checks.lower_limits),
    Variant("409 is believed", taken_believed, checks.taken),
    Variant("the first look-up hit wins", first_hit, checks.storm),
    Variant("a missing status is PASSED", lambda: status_taken_as_passed(None), checks.personas),
    Variant("an unknown status is PASSED", lambda: status_taken_as_passed("IN_REVIEW"), checks.personas),
    Variant("PENDING is PASSED", lambda: status_taken_as_passed("PENDING"), checks.personas),
    Variant("allowed by truthiness", truthy, checks.personas),
    Variant("no KYC before the wallet", unverified, checks.personas),
    Variant("redirects are followed", redirected, checks.redirects),
    Variant("surplus bytes are kept", kept, checks.twice),
    Variant("a report is written in place", in_place, checks.reports),
    Variant("masked only where it is shown", unmasked, checks.personas),
    Variant("a fenced writer goes on", unfenced, checks.take_overs),
    Variant("the pid is asked across namespaces", any_namespace, checks.owners),
    Variant("a heartbeat is compared with the wall clock", wall_clock_death, checks.owners),
    Variant("a busy ledger is taken for silence", busy_is_silent, checks.owners),
    Variant("a doubt is not looked at", doubt_not_looked_at, checks.lost_triggers),
    Variant("an answer is left unread for the next call", surplus_kept, checks.surplus),
    Variant("KYC is posted on PENDING", posted_on_pending, checks.deaths),
    Variant("a resume forgets doubts", doubts_forgotten, checks.deaths),
    Variant("not there is believed at once", early_look, checks.lost_triggers),
    Variant("a slow look is believed", slow_look, checks.lost_triggers),
    Variant("a row ends beside a young unanswered write", row_ended_in_doubt, checks.early_ends),
    Variant("a redirect is believed", redirect_believed, checks.redirected_writes),
    Variant(
        "an earlier process's write settles by the wall clock", wall_clock_settling, checks.unanswered_and_set_clocks
    ),
    Variant("an open wallet's type is chosen afresh", chosen_afresh, checks.other_types),
    Variant("an open wallet is sent as another one", sent_otherwise, checks.other_types),
    Variant("claims on ids are ignored", claims_ignored, checks.foreign_ids),
    Variant(
        "a refusal outweighs an earlier doubt",
        lambda: patch.object(RowDriver, "_says_little", lambda *_: False),
        checks.refusals,
    ),
    Variant(
        "a dead retry stays failed", lambda: patch.object(opening, "taken_up", lambda given: given), checks.dead_retries
    ),
)
