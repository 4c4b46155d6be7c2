"""What shows one row without the others: its event, the way from it to the root of its run's events, and the way from
the run's entry to a checkpoint of the ledger's log, as c2sp.org/tlog-proof writes it."""

import base64
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from jobs.errors import Unproven
from jobs.evidence.events import is_short, read_events
from jobs.evidence.log import merkle
from jobs.evidence.log.checkpoint import Checkpoint

FORMAT = "c2sp.org/tlog-proof@v1"


def events_root(path: Path) -> tuple[bytes, int]:
    """The root over the lines of `events.ndjson`, each without its line end, and their number."""
    numbered = count()

    def leaves() -> Iterator[bytes]:
        with path.open("rb") as lines:
            for line, _ in zip(lines, numbered, strict=False):
                yield merkle.leaf(line.removesuffix(b"\n"))

    return merkle.root(leaves()), next(numbered)


def row_proofs(events: Path, rows: Sequence[int]) -> list[dict[str, object]]:
    """For each of `rows` that the events tell the end of: the lines that show it, each with the proof that it is one
    of them. They are the row's last one and, where that says less, the header and those that name its key.
    """
    wanted = _telling(events, set(rows))
    leaves: list[bytes] = []
    shown: dict[int, str] = {}
    places = {index for _, index in wanted}
    with events.open("rb") as lines:
        for index, line in enumerate(lines):
            content = line.removesuffix(b"\n")
            leaves.append(merkle.leaf(content))
            if index in places:
                shown[index] = content.decode()
    return [
        {
            "source_row": row,
            "event": shown[index],
            "index": index,
            "size": len(leaves),
            "path": [_text(each) for each in merkle.inclusion(leaves, index)],
        }
        for row, index in wanted
    ]


def _telling(events: Path, rows: set[int]) -> list[tuple[int, int]]:
    """(row, index of a line) of what tells the ends of `rows`, in this order."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for event in read_events(events):
        row = event.get("source_row")
        if row in rows:
            first.setdefault(row, event["n"] - 1)
            if event["kind"] == "outcome":
                last[row] = event["n"] - 1
    lines = set(last.items())
    if is_short(events):
        lines |= {(row, index) for row in last for index in (0, first[row])}
    return sorted(lines)


def entry_proof(entries: Sequence[bytes], index: int, checkpoint: Checkpoint) -> str:
    """That the entry at `index` is in the log of `checkpoint`, as a file of its own kind."""
    path = merkle.inclusion([merkle.leaf(entry) for entry in entries], index)
    return "\n".join([FORMAT, f"index {index}", *map(_text, path), "", checkpoint.note])


def consistency_proof(entries: Sequence[bytes], before: Checkpoint | None, checkpoint: Checkpoint) -> str:
    """What a witness is asked to sign (c2sp.org/tlog-witness, `add-checkpoint`): old size, proof, checkpoint.

    Raises Unproven when the log does not begin with what it was `before`.
    """
    size = before.size if before is not None else 0
    leaves = [merkle.leaf(entry) for entry in entries]
    path = merkle.consistency(leaves, size) if size else []
    if before and size and not merkle.is_consistent(size, before.root, checkpoint.size, checkpoint.root, path):
        raise Unproven("the log does not begin with what its checkpoint before counted")
    return "\n".join([f"old {size}", *map(_text, path), "", checkpoint.note])


def refuse_false(proof: dict[str, object], root: bytes) -> None:
    """Raises Unproven when a proof of `row_proofs` does not lead to `root`."""
    path = [base64.b64decode(str(each)) for each in proof["path"]]  # type: ignore[attr-defined]  # made above
    found = merkle.leaf(str(proof["event"]).encode())
    if merkle.root_by_inclusion(found, int(str(proof["index"])), int(str(proof["size"])), path) != root:
        raise Unproven("the events of the run are not those that the log knows")


def _text(found: bytes) -> str:
    return base64.b64encode(found).decode()
