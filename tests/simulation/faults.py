"""What can go wrong with one call, and which calls of a history it comes to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from jobs.systems.messages import Request

from .parts import Parts


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
    REFUSED = "400 without cause"
    REDIRECTED = "302"
    SEE_OTHER = "303 after commit"
    REVOKED = "401 wave"
    MOVED = "pages move"
    TWICE = "answered twice"
    FOREIGN = "another's id"
    NO_ID = "an id that is none"
    OTHER_PROFILE = "another's profile"
    OTHER_TYPES = "other wallet types"
    NO_TYPES = "no wallet type"


STEPS = {"create_customer": "customer", "trigger_kyc": "kyc", "create_wallet": "wallet"}
OFTEN = frozenset({*STEPS, "wallet_types"})
"""Operations that come seldom and matter much: they meet twice as many faults."""

CREATES = frozenset({"create_customer", "create_wallet"})

MET_BY: Mapping[Fault, frozenset[str]] = {
    **dict.fromkeys((Fault.LATE, Fault.STALE, Fault.LOST_AFTER, Fault.REFUSED, Fault.SEE_OTHER), frozenset(STEPS)),
    **dict.fromkeys((Fault.TAKEN_AFTER, Fault.TAKEN_BEFORE, Fault.FOREIGN, Fault.NO_ID), CREATES),
    Fault.MOVED: frozenset({"search_customers"}),
    Fault.OTHER_PROFILE: frozenset({"get_customer"}),
    **dict.fromkeys((Fault.OTHER_TYPES, Fault.NO_TYPES), frozenset({"wallet_types"})),
}
"""The operations that meet a fault; one that is not here comes to all."""

NOT_APPLIED = frozenset(
    {
        Fault.ERROR_BEFORE,
        Fault.THROTTLED,
        Fault.THROTTLED_FOR,
        Fault.LIMIT_CODE,
        Fault.TAKEN_BEFORE,
        Fault.REFUSED,
        Fault.REDIRECTED,
    }
)
WHIMS = frozenset({Fault.MOVED, Fault.OTHER_TYPES, Fault.NO_TYPES})
"""Those that the target itself has."""

WHERE_POSSIBLE = frozenset({Fault.TWICE, Fault.FOREIGN, Fault.OTHER_PROFILE})
"""Those that need something to be there; they are counted when they change an answer."""

SPOILT = {Fault.HALF: b'{"customerId": 10', Fault.GARBAGE: b"<html>\xff\xfe Bad Gateway", Fault.EMPTY: b""}
NO_IDS = (0, -1, "", 1.5, True, None)


def can_meet(request: Request, fault: Fault) -> bool:
    """Whether such a call can have such a fault."""
    return fault not in MET_BY or request.operation in MET_BY[fault]


@dataclass
class Weather:
    """Which faults come, and how often a call meets one."""

    parts: Parts
    faults: tuple[Fault, ...] = ()
    rate: float = 0.0
    reached: Counter[str] = field(default_factory=Counter)

    @classmethod
    def drawn(cls, parts: Parts) -> "Weather":
        """A few kinds of fault, now and then or often: many seeds meet all combinations."""
        dice = parts.dice("weather")
        kinds = tuple(dice.sample(list(Fault), dice.randint(1, len(Fault))))
        return cls(parts, kinds, dice.choice((0.02, 0.08, 0.2, 0.35)))

    @property
    def lags(self) -> bool:
        """Whether commits that go well may be seen late too."""
        return self.rate > 0 and Fault.STALE in self.faults

    def pick(self, request: Request, site: str) -> Fault | None:
        """The fault of the call at `site`, None when it goes well."""
        possible = [fault for fault in self.faults if can_meet(request, fault)]
        often = self.rate * (2 if request.operation in OFTEN else 1)
        if not possible or not often:
            return None
        dice = self.parts.dice(site)
        if dice.random() >= often or not self.parts.happens(site):
            return None
        return self.met(dice.choice(possible))

    def met(self, fault: Fault) -> Fault:
        """Counts it, unless it depends on what is there."""
        self.reached[fault] += fault not in WHERE_POSSIBLE
        return fault


@dataclass
class Planned(Weather):
    """The faults that a test names: (operation, its how-manieth call) to fault."""

    plan: Mapping[tuple[str, int], Fault] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def pick(self, request: Request, site: str) -> Fault | None:
        """The named one."""
        self.calls[request.operation] += 1
        fault = self.plan.get((request.operation, self.calls[request.operation]))
        return None if fault is None else self.met(fault)
