"""The small contract between the engine and one target system.

A system is a list of *steps*. Each step can *look* (read whether it is done, by whom, or not at all); a writing step
has one *write* beside. The engine in `driver.py` drives every step the same way:

    look -> Done | Absent | Undecided | Ended | Unclear
    Absent -> commit the intent -> send the write -> classify(reply) -> Done | Undecided | Ended | Again ...
    Again, Doubted, Taken -> look before anything else is sent

So an adapter never retries, never sleeps, never writes to the ledger and never decides what happens to a lost
request; it only says what a reply means and how to read the truth.

Each member says whether an adapter *must implement* it, *may override* what `defaults.Defaults` does, or *must not*.
Steps and systems hold no row's memory: what a look learns goes into facts, and what was chosen into `Absent.facts`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, TypeGuard

from jobs.keys import KeySpace
from jobs.model import Outcome, Rate
from jobs.systems.messages import CallClass, Certificate, Reader, Reply, Request, Token, Trace
from jobs.systems.row import Row, View
from jobs.systems.sighting import Listed, Sighting
from jobs.systems.verdict import Finding, Verdict
from jobs.value import value

CLOCK_SKEW = timedelta(minutes=2)
"""How far the target's clock may be from ours when its times are compared with an intent (chosen)."""


CUSTOMER_STEP, WALLET_STEP = "customer", "wallet"
"""The names of the steps that make a customer and its first wallet, in whatever system: control totals count them."""

PROFILE_STEP = "profile"
"""The name of a step that brings a customer to what a changed row says, in whatever system.

Once it is done, the row's data are those that were sent; without such a step changed data are only reported.
"""


def further_wallet(kind: str) -> str:
    """The name of the step that makes a wallet of type `kind` beside the first."""
    return f"{WALLET_STEP}:{kind}"


class Step(Protocol):
    """One intention towards the target, of a row. As it stands it only reads: the customer's decision, a link."""

    @property
    def name(self) -> str:
        """Must implement. The stable name: it is written to the ledger and to `failed_step`."""
        ...

    async def look(self, reader: Reader, view: View) -> Finding:
        """Must implement. Reads whether the step is done. Raises ReadFailed.

        It must not write, and must not say `Absent` where the step is no WritingStep.
        """
        ...


class WritingStep(Step, Protocol):
    """A step that sends one request, at most once for a row unless `resends` says more."""

    @property
    def resends(self) -> int | None:
        """Must implement. How often an unanswered write may be sent again after looking; None: while attempts last.

        A target that refuses a repeated key makes resending a create safe; a write without a key may be sent once more
        only.
        """
        ...

    @property
    def settle_seconds(self) -> float | None:
        """Must implement. How long after an unanswered write "not there" is not believed; None: the engine's time."""
        ...

    def write(self, view: View) -> Request:
        """Must implement. The request that does the step; the same view gives the same bytes.

        It reads at most the files that the row names, and must not look at anything but `view` and the settings. Raises
        Unsendable when one of those files can't be used (any more).
        """
        ...

    def classify(self, reply: Reply, view: View) -> Verdict:
        """Must implement, as `Dialect.judged` with what a success of this step is. What the reply to `write` means.

        Pure: it must not send, and must not keep anything. Raises NotPermitted when the whole job is blocked.
        """
        ...


def writes(step: Step) -> TypeGuard[WritingStep]:
    """Whether the step sends a request. (`isinstance` asks a protocol for each of its members: 100 µs, measured.)"""
    return hasattr(step, "write")


@value
class Reads:
    """Reads that a new row costs when nothing fails and nothing is listed; 0 where rows share them."""

    searching: int = 0
    """To find out that nobody is there."""
    sending: int = 0
    """From the create to the end, each further reading of an outstanding decision aside."""
    back: int = 0
    """In the fresh read; one of them is the profile."""


@value
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
    listing_spares: bool = False
    """Whether what a listing shows of a customer spares reading its profile (`System.sight`)."""
    reads: Reads = Reads()
    """Reads of a new row."""
    reads_back: bool = True
    """Whether what was made can be read again; `System.sight` is not to be called otherwise."""
    wallets: bool = False
    """Whether a complete row has a wallet."""
    untold: str | None = None
    """What a person has to know of rows whose decision the target never tells; None: it tells all of them."""
    decided: Mapping[Outcome, frozenset[str]] = field(default_factory=dict)
    """The decisions that an outcome promises; an outcome that is not here promises none."""
    active: frozenset[str] = frozenset()
    """Customer statuses, in capitals, that a complete row may have; empty: any."""
    credential: str = "identity and password, or a token"
    """What has to be given, in words."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """What the secrets are at this system, by their names: those of `takes`, where the usual words don't say it."""
    rights: str = "use a credential that has this right"
    """What to do when the credential lacks a right."""
    plain: frozenset[str] = frozenset({"customerId"})
    """Members of what `System.find` shows that name no person: they are shown as they are, all others masked."""
    status_members: tuple[str, ...] = ("status",)
    """Members of what `System.find` shows that tell a customer's status; the first that is there counts."""
    natural_key: str = "national_id"
    """The column by whose equal value a customer at the target is known to be the row's person."""
    canary: int = 0
    """What `--canary` is unless somebody sets it."""
    downloads: tuple[str, ...] = ()
    """The forms in which profiles can be downloaded, of `pdf` and `json`; such a system is `Downloadable`."""
    predicates: bool = False
    """Whether customers are searched by predicates; such a system is `Searchable`."""
    exports: tuple[str, ...] = ()
    """The kinds of records that can be exported; such a system is `Exportable`."""
    full: str | None = None
    """What a reconciliation reads beside when it is asked to read all (`Setup.full`), in words; None: nothing."""
    notices: bool = False
    """Whether the target tells of its customers by itself; such a system is `Notified`."""
    staff: bool = False
    """Whether those can be listed in whose name customers are made; such a system is `Staffed`."""
    profiles: bool = False
    """Whether all about one customer can be read for people; such a system is `Profiled`."""
    logins: bool = False
    """Whether a row gets a login, with its own password or one that is generated and delivered."""
    reads_apart: bool = False
    """Whether reading back takes another credential than writing: the reader's own, or the operator's."""
    commands: tuple[str, ...] = ()
    """What `muster decide` may do with customers; empty: nothing."""
    takes: frozenset[str] = frozenset({"identity", "token"})
    """`identity` (with a password), `key` (an identity with a private key), `token`, `nothing`: what may be given."""


class System(Protocol):
    """One target, configured. Stateless but for its frozen settings and readings that all rows share."""

    @property
    def capabilities(self) -> Capabilities:
        """Must implement. What it can do."""
        ...

    @property
    def certificate(self) -> Certificate | None:
        """May override. What it is shown when the connection is made, and verified with.

        None: nothing is shown, and the usual roots are believed.
        """
        ...

    @property
    def steps(self) -> Sequence[Step]:
        """Must implement. All that a row may have, in the order that the vendor demands."""
        ...

    def steps_of(self, row: Row) -> Sequence[Step]:
        """May override where rows differ: those of `row`, in the same order.

        `later_columns` are enough to tell those after the first.
        """
        ...

    @property
    def later_columns(self) -> frozenset[str]:
        """May override. The columns that are still needed once the first step is done; by default none is."""
        ...

    def login(self, identity: str, password: str) -> Request:
        """Must implement where `takes` has `identity`. The request that exchanges the credential for a token."""
        ...

    def renewal(self, token: Token) -> Request | None:
        """May override. The request that prolongs `token`; None where the system has none."""
        ...

    def token_of(self, reply: Reply) -> Token:
        """Must implement where there is a login. The token in a login's or renewal's reply.

        Raises NotPermitted for a refusal in the target's own words (its code, or status 401), ValueError for whatever
        else is no token: something before the target may have said it, and a password must not be given up for that.
        `Dialect.granted` does both.
        """
        ...

    def given(self, token: str) -> Token:
        """May override. A token that the operator gave, as it is presented; by default as a bearer."""
        ...

    def headers(self, fresh_id: Callable[[], str]) -> Mapping[str, str]:
        """May override. What every call carries beside the credential.

        `fresh_id` gives 32 hex digits, new for each sending.
        """
        ...

    def status_of(self, reply: Reply) -> int:
        """Must not override: `Dialect.status_of` says it, the worse status where 200 has a refusal inside."""
        ...

    def trace_of(self, reply: Reply) -> Trace:
        """Must not override: `Dialect.trace_of` says it, the vendor's error code and trace id in any reply."""
        ...

    def throttled(self, reply: Reply) -> bool:
        """Must not override: `Dialect.throttled` says it, whether the reply is a refusal because of a limit."""
        ...

    def readable(self, reply: Reply) -> bool:
        """Must not override: `Dialect.readable` says it, whether a success' body is whole; else a read is repeated."""
        ...

    def limits(self, positions: frozenset[str]) -> Mapping[CallClass, Rate]:
        """May override. The documented limits for such a credential, by class of call; one that is not here has none.

        It must not ask the target.
        """
        ...

    def admit(self, positions: frozenset[str]) -> None:
        """May override. Raises NotPermitted for a credential that, by its positions, can't do this job at all.

        It is asked once, after the login, before anything else is sent. It must not ask the target. No positions: the
        login told none.
        """
        ...

    def reads_with(self, positions: frozenset[str]) -> bool:
        """May override. Whether a credential with such positions may read back what it made; `reads_apart` else."""
        ...

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """Must implement where `reads_back`. A fresh read of all that belongs to `row`, for reconciliation.

        It must not rely on what a step read. Raises ReadFailed.

        `listed`: the row's customer as a listing of the same minutes shows it, which saves reading the profile.
        """
        ...

    def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """Must implement where `lists_customers`. All customers, page by page, each once.

        Rows that move between pages meanwhile must not be lost. Raises ReadFailed, also when they move faster than they
        can be read.
        """
        ...

    def marks(self, row: Row) -> frozenset[str]:
        """May override where `lists_customers`. All by which a look of the first step would find somebody for `row`.

        Each begins with a sign of its own kind; `Listed.marks` has the same of a listed customer, for whom some may be
        too many and none too few. By default none: then a listing does not say who is there.
        """
        ...

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Must implement where there are `lookups`. Customers that fit `wanted` exactly.

        They are flat text in the vendor's spelling and order, `customerId` in it. `wanted` has one of `phone`,
        `identity`, `email`, `reference`, `customer_id`, or `first_name` and/or `last_name`: no more than
        `Capabilities.lookups` offers. Raises ReadFailed, NotPermitted.
        """
        ...


class Passwords(Protocol):
    """The passwords of the logins that a run makes."""

    def for_row(self, row: Row, identity: str) -> str:
        """The password with which that login is to be made; a generated one is on the disk before it is returned."""
        ...

    def known(self, row: Row, identity: str) -> str | None:
        """That password as far as it is known; None when it was never made, or can't be read back."""
        ...


@value
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
    told: Callable[[str], str | None] = lambda _: None
    """The state that the target itself told of the customer with that id, newest first; None: it told none."""
    customer_of: Callable[[str], str | None] = lambda _: None
    """The target's id of the customer that the ledger keeps under one of our own references; None: it knows none."""
    own: bool = False
    """Whether a registration goes on with the customer's own token."""
    passwords: Passwords | None = None
    """Those of the logins to be made; None where no login is made."""
    full: bool = False
    """Whether a reconciliation reads all that belongs to a row, and not only what the row says."""
    reading: bool = False
    """Whether nothing is going to be written, so that settings which only writes need may be missing."""


class Adapter(Protocol):
    """A module of `jobs.systems`, as the registry names it: it must have all three."""

    CAPABILITIES: Capabilities
    SETTINGS: type[Any]
    """A frozen dataclass: the system's table in muster.toml, every field with a default."""

    def system(self, setup: Setup, settings: Any) -> System:
        """The system, configured. Raises Unusable when the settings can't work."""
        ...
