"""What a seed draws beside the faults of calls: the target's liberties, and what each run is and what happens in it."""

from dataclasses import dataclass
from typing import Any

from jobs.engine.opening import Taking
from jobs.model import RESUMABLE, Outcome
from jobs.systems.eclipse.system import EclipseSettings

from .parts import Parts
from .records import LISTS, MADE, NEWEST, SHUFFLED, Manners

AGAIN = Taking(RESUMABLE | {Outcome.FAILED})
"""`retry`; `run` and `resume` take up less."""

USUAL = EclipseSettings()
SETTINGS = (
    EclipseSettings(wallet_policy="exactly"),
    EclipseSettings(wallet_type_id="5001"),
    EclipseSettings(wallet_type_id="5002"),
    EclipseSettings(wallet_type_id="5005"),
    EclipseSettings(currency="USD"),
)
CLOCK_STEPS = (90.0, 600.0, 3600.0, 86400.0, -90.0, -600.0, -3600.0, -86400.0)
"""By how many seconds a wall clock is set (chosen: minutes, hours, a day)."""

WORLD = (
    *(f"clock set {way} {when}" for way in ("forward", "back") for when in ("in mid-run", "between runs")),
    *(f"{name} lags" for name in LISTS),
    *(f"{name} shuffled" for name in LISTS if name != "profile"),
    "kyc oldest first",
    "a wallet that the target made",
    "a wallet that the target made with a key",
    "a type that is held is not allowed",
    "a decision that was thought over",
    "other settings",
    "a reboot",
    "a retry",
    "a command after the end",
    "tasks in another order",
)
"""What a history can meet beside the faults of calls."""

LIBERTIES: dict[str, tuple[Any, ...]] = {
    "show_keys": (True, True, True, False, False),
    "show_wallet_keys": (True, True, True, False, False),
    "page": (1, 2, 20),
    "types_early": (True, True, False),
    "only_keys_unique": (True, False),
    "token_seconds": (30.0, 300.0, 3600.0),
    "search_order": (MADE, NEWEST, SHUFFLED),
    "kyc_order": (NEWEST, MADE, SHUFFLED),
    "types_order": (MADE, SHUFFLED),
    "wallets_order": (MADE, NEWEST, SHUFFLED),
    "replicas": (False, True),
    "one_of_a_type": (False, True),
}


def manners(parts: Parts) -> Manners:
    """A target that takes some of the liberties that the documents leave it."""
    drawn: dict[str, Any] = {name: parts.dice("manner", name).choice(values) for name, values in LIBERTIES.items()}
    lists = parts.dice("manner", "lagging")
    drawn["lagging"] = frozenset(lists.sample(LISTS, lists.randint(1, len(LISTS))))
    usual = Manners()
    kept = {
        name: value
        for name, value in drawn.items()
        if value != getattr(usual, name) and parts.happens(f"manner-{name}")
    }
    return Manners(**kept)


@dataclass(frozen=True)
class Command:
    """One process of a history, and the time after it."""

    taking: Taking | None = None
    settings: EclipseSettings = USUAL
    dies_at: int | str | None = None
    stops_after: float | None = None
    clock_steps: tuple[tuple[float, float], ...] = ()
    pause: float = 0.0
    clock_set: float = 0.0
    """By how many seconds the wall clock is set in the pause."""
    last: bool = True
    """Whether nothing follows when it comes to its end."""


def command(parts: Parts, number: int, rows: int, *, calm: bool, dies: bool) -> Command:
    """The `number`-th process; `dies`: it may die. `calm`: nothing happens to it."""

    def drawn(part: str, chance: float) -> bool:
        if calm and part != "retry":
            return False
        return parts.dice(part, number).random() < chance and parts.happens(f"{part}{number}")

    dice = parts.dice("command", number)
    place = parts.place_of(f"death{number}")
    at = 1 + int(dice.random() * 25 * rows)
    return Command(
        taking=AGAIN if drawn("retry", 0.3) else None,
        settings=dice.choice(SETTINGS) if drawn("settings", 0.2) else USUAL,
        dies_at=place or (at if dies and drawn("death", 0.75) else None),
        stops_after=dice.uniform(0, 60) if drawn("stop", 0.2) else None,
        clock_steps=((dice.uniform(0, 20), dice.choice(CLOCK_STEPS)),) if drawn("clock", 0.2) else (),
        pause=dice.choice((0.0, 0.5, 3.0, 60.0)),
        clock_set=dice.choice(CLOCK_STEPS) if drawn("clockafter", 0.2) else 0.0,
        last=not drawn("again", 0.15),
    )
