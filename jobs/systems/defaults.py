"""What most systems answer alike: a vendor's system states only what it does differently."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from jobs.errors import Unusable
from jobs.model import Rate
from jobs.systems.contract import Capabilities, Step
from jobs.systems.dialect import Dialect
from jobs.systems.messages import CallClass, Certificate, Reader, Reply, Request, Token, Trace
from jobs.systems.row import Row
from jobs.systems.sighting import Listed, Sighting


class Defaults:
    """A system without login, renewal, headers, limits or reads, whose rows all have the same steps.

    `capabilities` and `steps` have to be given; the contract says of each other member when it may stay as it is here.
    """

    capabilities: Capabilities
    steps: Sequence[Step]
    dialect: Dialect = Dialect()
    certificate: Certificate | None = None
    later_columns: frozenset[str] = frozenset()

    def steps_of(self, row: Row) -> Sequence[Step]:
        """Every row has all steps."""
        return self.steps

    def login(self, identity: str, password: str) -> Request:
        """Raises Unusable: a token is given, nobody logs in."""
        hint = "set MUSTER_TOKEN, not MUSTER_IDENTITY"
        raise Unusable(f"{self.capabilities.title} has no login", hint=hint)

    def renewal(self, token: Token) -> Request | None:
        """No token is prolonged: a new one is asked for."""
        return None

    def token_of(self, reply: Reply) -> Token:
        """Raises ValueError: nobody logs in."""
        raise ValueError(f"{self.capabilities.title} has no login")

    def given(self, token: str) -> Token:
        """The token is presented as a bearer; of which tenant it is, and how long it holds, can't be told."""
        return Token.bearer(token)

    def headers(self, fresh_id: Callable[[], str]) -> Mapping[str, str]:
        """Calls carry nothing but the credential."""
        return {}

    def limits(self, positions: frozenset[str]) -> Mapping[CallClass, Rate]:
        """No limits are documented."""
        return {}

    def admit(self, positions: frozenset[str]) -> None:
        """Whoever logs in is let in; what it may not do, the target says."""

    def reads_with(self, positions: frozenset[str]) -> bool:
        """The capabilities say it."""
        return not self.capabilities.reads_apart

    def status_of(self, reply: Reply) -> int:
        """The dialect says it."""
        return self.dialect.status_of(reply)

    def trace_of(self, reply: Reply) -> Trace:
        """The dialect says it."""
        return self.dialect.trace_of(reply)

    def throttled(self, reply: Reply) -> bool:
        """The dialect says it."""
        return self.dialect.throttled(reply)

    def readable(self, reply: Reply) -> bool:
        """The dialect says it."""
        return self.dialect.readable(reply)

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """Raises Unusable: nothing can be read, as `reads_back` says."""
        raise Unusable(f"{self.capabilities.title} shows nothing of its customers")

    async def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """Nobody can be listed, as `lists_customers` says."""
        nobody: tuple[Sequence[Listed], ...] = ()
        for page in nobody:
            yield page

    def marks(self, row: Row) -> frozenset[str]:
        """None: a listing does not say who is there."""
        return frozenset()

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Nobody can be found, as `lookups` says."""
        return []
