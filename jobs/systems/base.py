"""The small contract between the engine and one target system; the only base in the program.

A system is a list of *steps*. Each step can *look* (read whether it is done, by whom, or not at all) and
may have one *write*. The engine in `onboard.py` drives every step the same way:

    look -> Done | Absent | Undecided | Ended | Unclear
    Absent -> commit the intent -> send the write -> classify(reply) -> Done | Undecided | Ended | Again ...
    Again, Doubted, Taken -> look before anything else is sent

So an adapter never retries, never sleeps, never writes to the ledger and never decides what happens to a lost
request; it only says what a reply means and how to read the truth.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from jobs.keys import KeySpace
from jobs.model import Outcome, Rate

CLOCK_SKEW = timedelta(minutes=2)
"""How far the target's clock may be from ours when its times are compared with an intent (chosen)."""


MOST_BYTES = 5 * 1024 * 1024
"""Chosen: a page of customers is under 100 kB; a compressed bomb of 200 kB unpacked to 200 MB (measured)."""


class CallClass(StrEnum):
    """Classes of call; each has windows of its own in the limiter."""

    WRITE = "write"
    READ = "read"
    DOWNLOAD = "download"
    """Documents, where a system limits them apart from other reads."""
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Request:
    """One call, bytes in. `path` is absolute below the base URL and already percent-encoded."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    call_class: CallClass = CallClass.READ
    deadline_seconds: float = 30.0
    """Total time for the whole exchange, from connecting to the last byte (chosen; ratify has 90)."""
    headers: tuple[tuple[str, str], ...] = ()
    """Beside those of every call; `content-type` here replaces `application/json`."""
    base_url: str | None = None
    """Another address than the system's own (a token service); None: the system's own."""
    most_bytes: int = MOST_BYTES
    """The largest answer that is read, packed and unpacked; of a larger one nothing is believed."""
    anonymous: bool = False
    """Sent without our credential, so that a 401 says nothing of it."""
    described: bytes | None = None
    """What the ledger keeps a digest of, where the body holds a secret; None: the body itself."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, bytes out. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Trace:
    """What a support case needs of the last reply: status, the vendor's code and its trace id."""

    http_status: int | None = None
    error_code: str | None = None
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The step is complete; `facts` are added to what is known of the row (`customer_id`, `wallet_id` ...)."""

    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Absent:
    """Read and proven: not there. Only a look may say so; the write may be sent."""

    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undecided:
    """The write is done, the decision is outstanding: the row is parked and read again later."""

    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = Trace()
    polled: bool = True
    """Whether looking again in this run may show more; otherwise the row ends `pending` at once."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The row ends here with `outcome`; nothing more is sent for it."""

    outcome: Outcome
    reason_code: str
    reason: str
    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Unclear:
    """Reading could not settle it, now or after waiting: the row ends `in_doubt`, for a person."""

    reason_code: str
    reason: str
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Again:
    """Provably not applied and perhaps passing: may be sent again, an attempt is spent."""

    reason_code: str
    reason: str
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Throttled:
    """Refused before processing because of a limit: comes back later, no attempt is spent.

    `retry_after_seconds` is what the target asked for; None when it did not say.
    """

    retry_after_seconds: float | None
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Doubted:
    """Sent and perhaps applied. Settled by looking, never by believing.

    `answered`: the target did reply (an error page, half a body), so it is no longer working on it.
    """

    reason_code: str
    reason: str
    answered: bool
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Taken:
    """The target says that it exists already (409 and its dialects). Judged by looking, never believed."""

    reason: str
    trace: Trace = Trace()


Finding = Done | Absent | Undecided | Ended | Unclear
Verdict = Done | Undecided | Ended | Again | Throttled | Doubted | Taken


@dataclass(frozen=True, slots=True)
class Row:
    """One accepted row: its number, its key, and the normalised values by canonical column name."""

    source_row: int
    row_ref: str | None
    """For people; masked where it is the row's own identity number or phone."""
    key: str
    values: Mapping[str, str]
    """Personal; most are dropped (`only`) when the row is parked, because by then the customer exists."""
    phone_masked: str
    national_id_masked: str
    warnings: str | None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of secret columns: only ever sent, in no fingerprint, pseudonym, comparison or report."""

    def only(self, columns: frozenset[str]) -> "Row":
        """The row with the values of `columns` alone: what a parked row still needs, and nothing personal."""
        kept, secret = (
            {name: value for name, value in mapping.items() if name in columns}
            for mapping in (self.values, self.secrets)
        )
        return replace(self, values=kept, secrets=secret)

    def get(self, column: str) -> str | None:
        """The value of `column`, None when the row has none."""
        return self.values.get(column)


@dataclass(frozen=True, slots=True)
class Doubt:
    """An unanswered write of ours for one step: since when, and how often it was sent."""

    since: datetime
    sent: int


@dataclass(frozen=True, slots=True)
class View:
    """What a look may know of a row: its values, the facts so far, our unanswered write, and the last refusal.

    `taken` is set when the target has just said that it exists already. `fresh_customer` is set when the
    customer was made by a request of ours in this very run, so that nothing can hang on it yet.
    """

    row: Row
    facts: Mapping[str, str]
    doubt: Doubt | None = None
    taken: bool = False
    fresh_customer: bool = False
    attempts: int = 0
    """How often the step's write was begun, in all runs: more than once says that it was repeated."""
    said: str = ""
    """Why the last attempt of this run settled nothing; empty: there was none."""


class Reader(Protocol):
    """Sends reads. Retries what is safe to repeat; raises `ReadFailed` when no usable answer came."""

    async def read(self, request: Request) -> Reply:
        """The reply, of whatever status but 401, 429 and 5xx, which are dealt with below."""
        ...


class ReadFailed(Exception):
    """A read got no usable answer after all its attempts; what it would have shown is unknown."""

    def __init__(self, reason: str, trace: Trace | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.trace = trace or Trace()


class Unsendable(Exception):
    """The request can't be made from what the row names; nothing was sent, and the row ends with `outcome`."""

    def __init__(self, reason_code: str, reason: str, outcome: Outcome = Outcome.REJECTED) -> None:
        super().__init__(reason)
        self.reason_code, self.reason, self.outcome = reason_code, reason, outcome


class Step(Protocol):
    """One intention towards the target, done at most once for a row."""

    @property
    def name(self) -> str:
        """Stable name: it is written to the ledger and to `failed_step`."""
        ...

    @property
    def resends(self) -> int | None:
        """How often an unanswered write may be sent again after looking; None: as often as attempts allow.

        Eclipse refuses a repeated key, so resending a create is safe; a KYC trigger has no key and may be
        sent once more only.
        """
        ...

    @property
    def settle_seconds(self) -> float | None:
        """How long after an unanswered write "not there" is not believed; None: the engine's own time."""
        ...

    async def look(self, reader: Reader, view: View) -> Finding:
        """Reads whether the step is done. Never writes. Raises ReadFailed."""
        ...

    def write(self, view: View) -> Request:
        """The request that does the step; the same view gives the same bytes. Reads at most the files the row names.

        Raises Unsendable when one of those can't be used (any more).
        """
        ...

    def classify(self, reply: Reply, view: View) -> Verdict:
        """What the reply to `write` means. Pure. Raises NotPermitted when the whole job is blocked."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """A credential in use: one header, and for how long it holds."""

    header_name: str
    header_value: str
    life_seconds: float
    """Remaining life when it was received, measured with the server's own clock where it gave one."""
    tenant: str | None
    positions: frozenset[str] = frozenset()
    renewal: Mapping[str, str] = field(default_factory=dict)
    """Headers that a renewal must bring along (CSRF)."""
    successor: str | None = field(default=None, repr=False)
    """What takes the place of the secret that was exchanged for it (a rotated refresh token); None: it stays."""

    def __repr__(self) -> str:
        return f"Token(header_name={self.header_name!r}, life_seconds={self.life_seconds:.0f})"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What connections are secured with: PEM files, the key without a pass phrase."""

    chain: Path | None = None
    """Our own side of mutual TLS; None: we show nothing."""
    key: Path | None = None
    authorities: Path | None = None
    """The roots that the target is verified with; None: the usual ones."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field of one row against a fresh read: canonical name, the file's value, the target's."""

    field: str
    ours: str | None
    theirs: str | None
    mask: Callable[[str | None], str]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a fresh, independent read of the target shows of one row."""

    customer_ids: Sequence[str]
    """All customers that the key or the full identity leads to; one is the normal case."""
    comparisons: Sequence[Comparison] = ()
    decision_status: str | None = None
    wallet_ids: Sequence[str] | None = ()
    """None: the wallet list could not be read here."""
    customer_status: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One customer of a listing of all. `record` is the target's own, for `sight`."""

    customer_id: str
    key: str | None
    """Our key, where the listing shows it."""
    created: datetime | None
    """None: the listing does not say when."""
    record: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can do; commands refuse the rest with a sentence that says so."""

    title: str
    creates_customers: bool
    idempotency_key: str | None
    """The field that carries our key and makes a repeated create harmless; None: there is none."""
    lookups: tuple[str, ...]
    """What customers can be found by, of `phone`, `identity`, `email`, `reference`, `name`, `customer-id`."""
    steps: tuple[str, ...]
    documented_limit: str
    """The vendor's own words, shortened."""
    decision: str | None
    """What is decided at the target after the create, and how it is learnt."""
    lists_customers: bool = False
    """Whether all customers of a tenant can be listed; `System.listing` is not to be called otherwise."""
    reads_back: bool = True
    """Whether what was made can be read again; `System.sight` is not to be called otherwise."""
    wallets: bool = False
    """Whether a complete row has a wallet."""
    decided: Mapping[Outcome, frozenset[str]] = field(default_factory=dict)
    """The decisions that an outcome promises; an outcome that is not here promises none."""
    active: frozenset[str] = frozenset()
    """Customer statuses, in capitals, that a complete row may have; empty: any."""
    credential: str = "identity and password, or a token"
    """What has to be given, in words."""
    rights: str = "use a credential that has this right"
    """What to do when the credential lacks a right."""
    natural_key: str = "national_id"
    """The column by whose equal value a customer at the target is known to be the row's person."""
    canary: int = 0
    """What `--canary` is unless somebody sets it."""
    downloads: bool = False
    """Whether profiles can be downloaded as PDF; such a system is `Downloadable`."""
    profiles: bool = False
    """Whether all about one customer can be read for people; such a system is `Profiled`."""
    logins: bool = False
    """Whether a row gets a login, with its own password or one that is generated and delivered."""
    reads_apart: bool = False
    """Whether reading back takes another credential than writing: the reader's own, or the operator's."""
    commands: tuple[str, ...] = ()
    """What `muster decide` may do with customers; empty: nothing."""
    reading_steps: frozenset[str] = frozenset()
    """Those of `steps` that never send anything but reads."""
    takes: frozenset[str] = frozenset({"identity", "token"})
    """`identity` (with a password), `key` (an identity with a private key), `token`, `nothing`: what may be given."""


class System(Protocol):
    """One target, configured. Stateless but for its frozen settings."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    @property
    def certificate(self) -> Certificate | None:
        """What it is shown when the connection is made, and verified with; None: nothing, and the usual roots."""
        ...

    @property
    def steps(self) -> Sequence[Step]:
        """All that a row may have, in the order that the vendor demands."""
        ...

    def steps_of(self, row: Row) -> Sequence[Step]:
        """Those of `row`, in the same order; `later_columns` are enough to tell those after the first."""
        ...

    @property
    def later_columns(self) -> frozenset[str]:
        """The columns that are still needed once the first step is done."""
        ...

    def login(self, identity: str, password: str) -> Request:
        """The request that exchanges the credential for a token."""
        ...

    def renewal(self, token: Token) -> Request | None:
        """The request that prolongs `token`; None where the system has none."""
        ...

    def token_of(self, reply: Reply) -> Token:
        """The token in a login's or renewal's reply. Raises NotPermitted, or ValueError when unreadable."""
        ...

    def given(self, token: str) -> Token:
        """A token that the operator gave, as it is presented."""
        ...

    def headers(self, fresh_id: Callable[[], str]) -> Mapping[str, str]:
        """What every call carries beside the credential; `fresh_id` gives 32 hex digits, new for each sending."""
        ...

    def status_of(self, reply: Reply) -> int:
        """The HTTP status, or the worse one in the body where a system answers 200 with a refusal inside."""
        ...

    def trace_of(self, reply: Reply) -> Trace:
        """The vendor's error code and trace id in any reply; empty where it has none."""
        ...

    def throttled(self, reply: Reply) -> bool:
        """Whether the reply is a refusal because of a limit, in whatever dialect."""
        ...

    def readable(self, reply: Reply) -> bool:
        """Whether a successful reply's body is whole, in the system's format; a read that gave none is repeated."""
        ...

    def limits(self, positions: frozenset[str]) -> Mapping[CallClass, Rate]:
        """The documented limits for such a credential, by class of call; a class that is not here has none."""
        ...

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """A fresh read of all that belongs to `row`, for reconciliation. Raises ReadFailed.

        `listed`: the row's customer as a listing of the same minutes shows it, which saves reading the profile.
        """
        ...

    def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """All customers, page by page, each once; rows that move between pages meanwhile are not lost.

        Raises ReadFailed, also when they move faster than they can be read.
        """
        ...

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Customers that fit `wanted` exactly, as flat text in the vendor's spelling and order, `customerId` in it.

        `wanted` has one of `phone`, `identity`, `email`, `reference`, `customer_id`, or `first_name` and/or
        `last_name`: no more than `Capabilities.lookups` offers. Raises ReadFailed, NotPermitted.
        """
        ...


@dataclass(frozen=True, slots=True)
class Profile:
    """All that the target shows of one customer, for people. Personal; whoever shows it masks it."""

    fields: Mapping[str, str]
    """Plain values as text, in the vendor's spelling and order."""
    decision: str | None = None
    """The newest decision's word; None: there is none yet."""
    decided_at: str | None = None
    """When it was last changed, as the target says it."""
    failed_checks: Sequence[str] = ()
    wallets: Sequence[Mapping[str, str]] | None = None
    """As `fields`, one each; None: the target lists none."""


@runtime_checkable
class Profiled(Protocol):
    """A system that shows all about one customer; its capabilities say `profiles`."""

    async def profile(self, reader: Reader, customer_id: str) -> Profile | None:
        """Read afresh; None when there is no such customer. Raises ReadFailed, NotPermitted."""
        ...


@runtime_checkable
class Downloadable(Protocol):
    """A system whose profiles can be downloaded as PDF; its capabilities say `downloads`."""

    def documents(self, customer_id: str, facts: Mapping[str, str]) -> Sequence[Request]:
        """Where the profile may be, the likeliest place first; one that is not there is answered with 404."""
        ...


@runtime_checkable
class Portal(Protocol):
    """A system whose tenant has users of its own, who log in at a portal."""

    async def portal_users(self, reader: Reader) -> Sequence[Mapping[str, str]]:
        """All of the tenant, as flat text in the vendor's spelling. Raises ReadFailed, NotPermitted."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a preflight. `passed` None: worth knowing, no reason to stop."""

    name: str
    passed: bool | None
    found: str
    advice: str | None = None
    """What to do about it."""


@runtime_checkable
class Examined(Protocol):
    """A system that can be asked, without changing anything, whether a run would get along with it."""

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """What was found, line by line. Raises ReadFailed, NotPermitted."""
        ...


@runtime_checkable
class Challenging(Protocol):
    """A system whose login may be a challenge that is signed, in the place of a password."""

    def challenge(self, identity: str) -> Request | None:
        """The request for a challenge; None when a password is to be sent."""
        ...

    def answer(self, identity: str, reply: Reply, private_key: str) -> Request:
        """The login that answers the challenge in `reply`. Raises NotPermitted."""
        ...


class Passwords(Protocol):
    """The passwords of the logins that a run makes."""

    def for_row(self, row: Row, identity: str) -> str:
        """The password with which that login is to be made; a generated one is on the disk before it is returned."""
        ...

    def known(self, row: Row, identity: str) -> str | None:
        """The same as far as it is known; None when it was never made, or can't be read back."""
        ...


ASKED_AGAIN_AFTER = "asked_again_after"
"""The fact that holds the target's own time of the newest decision when an operator asked again: a look at the step
believes later ones only."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest decision about a customer. `at` is the target's own time of it; both None: there is none."""

    status: str | None
    at: str | None


@runtime_checkable
class Redecidable(Protocol):
    """A system whose decision can be asked for again."""

    redecided: str
    """Name of the step that asks."""
    passed: str
    """The status that is never asked again without consent."""
    refused: str
    """The status that may be asked again."""

    async def newest(self, reader: Reader, customer_id: str) -> Newest:
        """The newest decision. Raises ReadFailed, NotPermitted."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What an adapter is made from, beside its own settings."""

    tenant: str
    keys: KeySpace
    files: Path = Path()
    """The folder that file references of the input are relative to."""
    variant: str | None = None
    """What exactly is done with the rows, where the job comes in variants."""
    credential: Callable[[], str | None] = lambda: None
    """Names the credential of this run as a keyed pseudonym, None when there is none. Asked for in a run only."""
    known: Callable[[str], Mapping[str, str]] = lambda _: {}
    """The facts that the ledger keeps of the customer with the target's id; empty when it knows none."""
    passwords: Passwords | None = None
    """Of the logins to be made; None: none is made here."""


class Adapter(Protocol):
    """A module of `jobs.systems`: what the registry names."""

    CAPABILITIES: Capabilities
    SETTINGS: type[Any]
    """A frozen dataclass: the system's table in muster.toml, every field with a default."""

    def system(self, setup: Setup, settings: Any) -> System:
        """The system, configured. Raises Unusable when the settings can't work."""
        ...
