"""What the model of the target keeps: customers with their KYC runs and wallets; and how it behaves where it may."""

from dataclasses import dataclass, field
from typing import Any

from jobs.model import Rate

from .population import Persona

RESTART_SECONDS = 1.0
"""How long a KYC that begins over is pending at least; the page warns that it starts over."""


@dataclass
class Verification:
    """One KYC run."""

    began: float
    visible_at: float
    persona: Persona
    again: bool = False
    """Begun on a customer who had passed."""

    def status(self, now: float) -> str | None:
        """PASSED or FAILED once decided."""
        if self.again and now < self.began + RESTART_SECONDS:
            return "PENDING"
        return self.persona.verdict if now >= self.began + self.persona.seconds else self.persona.interim


@dataclass
class Wallet:
    """One wallet."""

    wallet_id: int
    kind: int
    key: str
    currency: str
    created: float
    visible_at: float


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

    @property
    def key(self) -> str:
        """The client's key."""
        return str(self.fields["externalUniqueId"])


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
