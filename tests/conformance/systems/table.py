"""The table of docs/systems.md: what the battery expects. `python -m tests.conformance.systems.table` writes it."""

from pathlib import Path

from tests.house.tables import block

from .battery import ITEMS
from .subjects import SUBJECTS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "systems.md"
NAME = "battery"


def table() -> str:
    """Each item of the battery, and how it ends at each system."""
    head = ["", *(subject.name for subject in SUBJECTS)]
    rows = [[words, *(subject.ends[item] for subject in SUBJECTS)] for item, words in ITEMS.items()]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows])


def main() -> None:
    """Writes it."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(block(NAME).sub(lambda found: found[1] + table() + found[3], text), encoding="utf-8")


if __name__ == "__main__":
    main()
