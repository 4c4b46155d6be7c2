"""What `muster decide` needs before its run: whether the system can, and the file that a run's open rows make."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from jobs.errors import Unusable
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.os_user import os_user
from jobs.reconciliation.resolutions import Choice
from jobs.run.checks import CLIENT
from jobs.settings.settings import Settings
from jobs.systems import capabilities


def able(settings: Settings) -> None:
    """Raises Unusable when the system knows no such command."""
    known = capabilities(settings.system).commands
    if not known:
        title = capabilities(settings.system).title
        raise Unusable(f"{title}: nothing can be decided through muster", hint="muster systems says what it can do")
    if settings.decision not in known:
        raise Unusable(f"--command: {settings.decision} is not one of {', '.join(known)}")


def open_rows(store: Store, run: RunRow) -> Iterator[Mapping[str, str]]:
    """The rows of `run` that wait for a decision, as rows of a file of decisions."""
    for window in store.outcomes(run.run_id):
        for row in window:
            if row["outcome"] == Outcome.PENDING and row["reason_code"] == "decision" and row["customer_id"]:
                yield {"row_ref": row["row_ref"] or "", CLIENT: row["customer_id"]}


def resolutions_template(store: Store, run: RunRow) -> Iterator[Mapping[str, str]]:
    """The rows of `run` that are in doubt or in conflict, as lines of a file of decisions: each one `leave`."""
    for window in store.outcomes(run.run_id):
        for row in window:
            if row["outcome"] in {Outcome.IN_DOUBT, Outcome.CONFLICT}:
                yield {
                    "row": str(row["source_row"]),
                    "decision": Choice.LEAVE.value,
                    "customer_id": "",
                    "reason": f"not decided yet ({row['outcome']}, {row['reason_code']})",
                    "decided_by": os_user(),
                }


def write_rows(path: Path, rows: Iterable[Mapping[str, str]], reason: str | None) -> None:
    """A new file of decisions, 0600. Raises Unusable when there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Unusable(
            f"{path} can't be made: {error.strerror}", hint="give --from a FILE that is not there yet"
        ) from error
    with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["row_ref", CLIENT, "reason"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "reason": reason or ""} for row in rows)
