"""Control totals: one number or moment as the file, the ledger and the target know it. They are counted elsewhere."""

from collections.abc import Iterable
from dataclasses import asdict

from jobs.value import value

Figure = int | str | None


@value
class ControlTotal:
    """Holds a total as each side knows it; None: that side does not know it, or was not asked.

    Hash totals are 16 hex digits, moments UTC in ISO 8601.
    """

    name: str
    file: Figure = None
    ledger: Figure = None
    target: Figure = None

    @property
    def ok(self) -> bool:
        """Whether all sides that know it say the same."""
        return len({self.file, self.ledger, self.target} - {None}) <= 1

    @property
    def known(self) -> dict[str, int | str]:
        """What each side that knows the total says."""
        sides = {"file": self.file, "ledger": self.ledger, "target": self.target}
        return {side: figure for side, figure in sides.items() if figure is not None}

    @property
    def closed(self) -> bool:
        """Whether muster's own sides say the same; if not, the books do not close."""
        return None in (self.file, self.ledger) or self.file == self.ledger


@value
class Shown:
    """The totals as a report shows them."""

    compared: tuple[ControlTotal, ...]
    """Those that two sides know."""
    alone: tuple[ControlTotal, ...]
    """Those of one side, that are not zero and stand nowhere else."""


def shown(totals: Iterable[ControlTotal], elsewhere: Iterable[str]) -> Shown:
    """Sorts the totals; `elsewhere`: names of those that the report has in another table."""
    every, left_out = tuple(totals), frozenset(elsewhere)
    alone = (each for each in every if len(each.known) == 1 and each.name not in left_out)
    return Shown(
        tuple(each for each in every if len(each.known) > 1),
        tuple(each for each in alone if any(each.known.values())),
    )


def totals_document(totals: Iterable[ControlTotal]) -> list[dict[str, object]]:
    """Gives the totals as `summary.json` has them."""
    return [{**asdict(total), "ok": total.ok} for total in totals]
