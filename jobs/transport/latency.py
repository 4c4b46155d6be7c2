"""How long answers take: whether that is still flat, or the target slows down."""

SLOW_FACTOR = 3.0
"""Chosen: latency is no longer flat when its moving average is three times the best one seen."""

AVERAGE_WEIGHT = 0.1
"""Weight of the newest latency in the moving average (chosen)."""

MOST_FACTOR = 2 * SLOW_FACTOR
"""One latency counts as so many times the best one at most (chosen): after a stall, however long, eight quick answers
show that it is over. Counted whole, answers that stalled for 25 s brought a pace of 4 calls a second to 0.1 (measured).
"""


class Latency:
    """The moving average of some calls' latencies, beside the best that it was. In seconds.

    `shortest`: below three times this, no latency is called slow, however fast the first answers were.
    """

    def __init__(self, shortest: float) -> None:
        self.shortest = shortest
        self._average: float | None = None
        self._best = 0.0

    def add(self, seconds: float) -> None:
        """A good answer took so long."""
        if self._average is None:
            self._average = self._best = seconds
            return
        counted = min(seconds, MOST_FACTOR * max(self._best, self.shortest))
        self._average += AVERAGE_WEIGHT * (counted - self._average)
        self._best = min(self._best, self._average)

    @property
    def flat(self) -> bool:
        """Whether answers take as long as in the best of times, about."""
        return self._average is None or self._average <= SLOW_FACTOR * max(self._best, self.shortest)
