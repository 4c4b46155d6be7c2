"""Arithmetic of limits: one step down when the target refuses, one step up again, the stricter of two. No I/O."""

from jobs.model import Rate

LEARNT = 0.9
"""Share of a limit that is left when the target refuses nevertheless (chosen)."""

QUIET_WINDOWS, QUIET_SECONDS = 5, 10.0
"""So many windows' lengths, and at least so many seconds, pass before a learned limit is tried one step higher
(chosen): where the limit is real, some two calls in a hundred are then refused at most."""

FORGOTTEN_SECONDS = 12 * 3600.0
"""So long after the last refusal a learned limit is forgotten (chosen): a bad night does not throttle the next one. A
real limit that is used in full is refused again long before, and so stays."""


def lowered(rate: Rate) -> Rate:
    """A tenth less, at least one call less, never less than one call a window."""
    return Rate(max(1, min(rate.calls - 1, int(rate.calls * LEARNT))), rate.seconds)


def raised(rate: Rate) -> Rate:
    """What `lowered` took away: a ninth more, at least one call."""
    return Rate(max(rate.calls + 1, int(rate.calls / LEARNT)), rate.seconds)


def quiet_seconds(rate: Rate) -> float:
    """How long `rate` holds before it is tried higher."""
    return max(QUIET_SECONDS, QUIET_WINDOWS * rate.seconds)


def forgotten_seconds(rate: Rate) -> float:
    """How long after the last refusal `rate` is forgotten; never before it could be tried higher."""
    return max(FORGOTTEN_SECONDS, quiet_seconds(rate))


def within(rate: Rate, most: Rate) -> Rate:
    """The stricter of the two by calls a second, in the window of `most`; that exceeds neither over a long time.

    Less than one call in that window is one call in a longer one.
    """
    if rate.calls * most.seconds >= most.calls * rate.seconds:
        return most
    calls = int(rate.calls * most.seconds / rate.seconds)
    return Rate(calls, most.seconds) if calls else Rate(1, rate.seconds / rate.calls)
