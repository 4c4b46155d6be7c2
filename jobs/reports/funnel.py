"""The way of the rows: how many came to each stage and with which outcomes they left there. Counts only, no drawing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field

from jobs.model import Outcome
from jobs.value import value

READ, ACCEPTED = "read", "accepted"


@value
class Stage:
    """`rows` came here; `exits` of them, by outcome, came no further; the rest is the next stage's `rows`."""

    name: str
    rows: int
    exits: Mapping[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        """Rows that went on."""
        return self.rows - sum(self.exits.values())


def funnel(
    rows: int,
    ends: Mapping[tuple[str, str | None, bool], int],
    steps: Sequence[str],
    rare: Collection[str] = (),
) -> tuple[Stage, ...]:
    """Stages from `read` over `accepted` and the `steps` of the system to `onboarded`.

    `ends`: rows by (outcome, step at which they ended or None, whether they have a customer at the target). A step
    that is not among `steps` is added behind them; one of `rare` is left out when no row ended there. Rows that were
    left between two steps count at the one after the customer's.
    """
    seen = {step for _, step, _ in ends if step}
    every = [*(step for step in steps if step not in rare or step in seen), *sorted(seen.difference(steps))]
    exits: dict[str, dict[str, int]] = {name: {} for name in (READ, ACCEPTED, *every)}
    for (outcome, step, customer), count in ends.items():
        place = _place(outcome, step, every[customer : customer + 1] or every[-1:])
        if place is not None:
            exits[place][outcome] = exits[place].get(outcome, 0) + count
    return tuple(_stages(rows, exits))


def _place(outcome: str, step: str | None, next_step: Sequence[str]) -> str | None:
    """Where a row of `outcome` left the way; None for one that went to its end."""
    if outcome == Outcome.ONBOARDED:
        return None
    if outcome == Outcome.QUARANTINED:
        return READ
    if outcome in {Outcome.ALREADY_ONBOARDED, Outcome.NOT_ATTEMPTED}:
        return ACCEPTED
    return step or next(iter(next_step), ACCEPTED)


def _stages(rows: int, exits: Mapping[str, Mapping[str, int]]) -> Iterable[Stage]:
    order = [outcome.value for outcome in Outcome]
    for name, left in exits.items():
        stage = Stage(name, rows, {outcome: left[outcome] for outcome in order if outcome in left})
        yield stage
        rows = stage.passed
    yield Stage(Outcome.ONBOARDED.value, rows)
