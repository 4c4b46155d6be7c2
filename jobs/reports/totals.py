"""Control totals: one number or moment as the file, the ledger and the target know it. They are counted elsewhere."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

Figure = int | str | None


@dataclass(frozen=True, slots=True)
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
    def closed(self) -> bool:
        """Whether muster's own sides say the same; if not, the books do not close."""
        return None in (self.file, self.ledger) or self.file == self.ledger


def totals_document(totals: Iterable[ControlTotal]) -> list[dict[str, object]]:
    """Gives the totals as `summary.json` has them."""
    return [{**asdict(total), "ok": total.ok} for total in totals]
