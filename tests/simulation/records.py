"""What the model of the target keeps: customers with their KYC runs and wallets; and how it behaves where it may."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from jobs.model import Rate

from .population import Persona

MADE, NEWEST, SHUFFLED = "oldest first", "newest first", "shuffled"
"""Orders of a list."""

LISTS = ("search", "profile", "kyc", "types", "wallets")
"""What is read apart, and may lag and be ordered apart; a profile has no order."""

RESTART_SECONDS = 1.0
"""How long a KYC that begins over is pending at least; the page warns that it starts over."""


@dataclass(frozen=True)
class Moment:
    """When a call is dealt with, and what it meets there."""

    now: float
    lag: float = 0.0
    """How long others don't see what it changes."""
    whim: str | None = None
    """What comes over the target just then: a fault of the network's table."""
    dice: Random = field(default_factory=lambda: Random(0))


@dataclass
class Verification:
    """One KYC run."""

    began: float
    visible_at: float
    persona: Persona
    again: bool = False
    """Begun on a customer who had passed."""

    def status(self, now: float) -> str | None:
        """PASSED or FAILED once decided; it may be thought over."""
        persona, decided = self.persona, self.began + self.persona.seconds
        if self.again and now < self.began + RESTART_SECONDS:
            return "PENDING"
        if now < decided:
            return persona.interim
        return persona.second[1] if persona.second and self.thought_over(now) else persona.verdict

    def thought_over(self, now: float) -> bool:
        """Whether its second status has come."""
        second = self.persona.second
        return second is not None and now >= self.began + self.persona.seconds + second[0]


@dataclass
class Wallet:
    """One wallet."""

    wallet_id: int
    kind: int
    key: str | None
    currency: str
    created: float
    visible_at: float
    ours: bool = True
    """Whether a client asked for it."""


@dataclass
class Customer:
    """One customer; `stranger` was there before us and is not ours."""

    customer_id: int
    fields: dict[str, Any]
    created: float
    visible_at: float
    stranger: bool = False
    verifications: list[Verification] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    types: tuple[tuple[int, object], ...] = ()
    """Wallet types as (id, allowed)."""
    shown: set[int] = field(default_factory=set)
    """Types that a client was shown as allowed."""
    untold: bool = False
    """Whether types were kept from a client by a whim or a lag."""
    told: set[str | None] = field(default_factory=set)
    """KYC statuses that a client was shown."""

    @property
    def key(self) -> str:
        """The client's key."""
        return str(self.fields["externalUniqueId"])

    @property
    def made(self) -> list[Wallet]:
        """The wallets that a client asked for."""
        return [wallet for wallet in self.wallets if wallet.ours]


@dataclass(frozen=True)
class Manners:
    """What the documents leave open; drawn from the seed."""

    show_keys: bool = True
    show_wallet_keys: bool = True
    page: int = 20
    """The most records that a page holds, whatever `limit` says."""
    loose: bool = True
    """Whether a search also finds who is similar, as a server may that takes national spellings."""
    types_early: bool = True
    """Whether wallet types are shown as allowed before KYC has passed; a create is refused all the same."""
    only_keys_unique: bool = False
    """Whether phone and identity may be shared, and only the key is refused."""
    token_seconds: float = 900.0
    limit: Rate | None = None
    """Writes that it takes in any window; it refuses the others with 429. None: all."""
    search_order: str = MADE
    kyc_order: str = NEWEST
    types_order: str = MADE
    wallets_order: str = MADE
    """In which order a list comes."""
    lagging: frozenset[str] = frozenset({"search", "kyc", "wallets"})
    """Lists that may lag, of `search`, `profile`, `kyc`, `types` and `wallets`."""
    replicas: bool = False
    """Whether a list that lags may show a thing, and not show it a moment later."""
    one_of_a_type: bool = False
    """Whether a type that a customer has by a client's request is no longer shown as allowed."""
