"""Who may decide: the checks of `muster decide` that need a whole file, and the file that a run's open rows make."""

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from jobs.batch import Batch
from jobs.errors import Unusable
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.run.wiring import Remembered, credential_name
from jobs.settings.settings import Settings, secret, secrets
from jobs.systems import capabilities
from jobs.systems.jwt import holder_of

CLIENT = "contact_encoded_key"
"""The column that names whom a row is about."""

CHECKED = ("approve", "reject")
"""What takes another credential than the one that created the client."""


def able(settings: Settings) -> None:
    """Raises Unusable when the system knows no such command."""
    known = capabilities(settings.system).commands
    if not known:
        title = capabilities(settings.system).title
        raise Unusable(f"{title}: nothing can be decided through muster", hint="muster systems says what it can do")
    if settings.decision not in known:
        raise Unusable(f"--command: {settings.decision} is not one of {', '.join(known)}")


def check_maker_checker(batch: Batch, settings: Settings) -> Sequence[str]:
    """What is worth noting of the file's rows; nothing for other jobs.

    Raises Unusable when the credential of the run created every client of the file, or is the maker's.
    """
    if settings.job != "decide" or settings.decision not in CHECKED:
        return ()
    maker, checker = secret("maker_token"), secrets().token
    if maker and checker and holder_of(maker) == holder_of(checker):
        raise Unusable("MUSTER_TOKEN is the holder's of MUSTER_MAKER_TOKEN: who creates clients does not decide")
    makers, own = makers_of(batch, Remembered(settings)), credential_name(settings)
    if makers and set(makers) == {own}:
        raise Unusable(
            "this credential created all of these clients; another one has to decide about them",
            hint="set MUSTER_TOKEN to the checker's token",
        )
    strangers = makers[None]
    if not strangers:
        return ()
    return [f"{strangers:,} of {makers.total():,} clients were not created through this ledger: by whom is not known"]


def makers_of(batch: Batch, known: Remembered) -> Counter[str | None]:
    """How many of the file's clients each credential created; None: it is not known which."""
    makers: Counter[str | None] = Counter()
    for rows in batch.accepted():
        clients = [row.values[CLIENT] for row in rows]
        made = known.among(clients)
        makers.update(made.get(client, {}).get("maker") for client in clients)
    return makers


def open_rows(store: Store, run: RunRow) -> Iterator[Mapping[str, str]]:
    """The rows of `run` that wait for a decision, as rows of a file of decisions."""
    for window in store.outcomes(run.run_id):
        for row in window:
            if row["outcome"] == Outcome.PENDING and row["reason_code"] == "decision" and row["customer_id"]:
                yield {"row_ref": row["row_ref"] or "", CLIENT: row["customer_id"]}


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
