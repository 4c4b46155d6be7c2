"""The bar of outcomes: lengths only. Colours are the style sheet's, words are the table's beside it."""

from collections.abc import Mapping

from jobs.value import value

WIDTH = 1000
"""Units of the drawing."""

SLIVER = 6
"""Chosen: the shortest piece, so that one row in a million is still seen."""


GAP = 2
"""Chosen: the empty strip after a piece."""


@value
class Piece:
    """One outcome in the bar; `start` and `width` in units of `WIDTH`."""

    name: str
    count: int
    start: float
    width: float

    @property
    def drawn(self) -> float:
        """The width that is painted: a gap stays, so that neighbours are told apart without colour."""
        return round(max(1.0, self.width - GAP), 2) if self.start + self.width < WIDTH - 1 else self.width


def bar(counts: Mapping[str, int]) -> tuple[Piece, ...]:
    """The pieces of all counts above zero, end to end over `WIDTH`; empty when there is no row."""
    present = {name: count for name, count in counts.items() if count}
    total = sum(present.values())
    raw = {name: max(SLIVER, WIDTH * count / total) for name, count in present.items()}
    scale = WIDTH / sum(raw.values()) if raw else 0
    pieces: list[Piece] = []
    start = 0.0
    for name, width in raw.items():
        pieces.append(Piece(name, present[name], round(start, 2), round(width * scale, 2)))
        start += width * scale
    return tuple(pieces)


def share(count: int, total: int) -> str:
    """`count` of `total` in per cent; never 0 or 100 by rounding alone; empty when `count` is 0."""
    if not count or not total:
        return ""
    if count == total:
        return "100 %"
    return f"{min(99.9, max(0.1, 100 * count / total)):.1f} %" if 1000 * count >= total else "< 0.1 %"
