"""The file that shows rows of a run to somebody else, without the other rows."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from jobs.atomic import atomic
from jobs.clock import Clock
from jobs.errors import Unproven
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.publishing.ledger_log import proven


def write_proof(store: Store, run: RunRow, rows: Sequence[int], clock: Clock) -> Path | None:
    """Writes `proof-RUN-TIME.json` (0600) into the working directory; None where nothing can be proven of the rows."""
    try:
        document = proven(store, run, list(rows))
    except Unproven:
        return None
    path = Path(f"proof-{run.run_id}-{clock.now():%Y%m%dT%H%M%S%fZ}.json")
    with atomic(path) as draft:
        draft.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return path
