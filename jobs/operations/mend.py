"""The full original rows of a run that a person has to correct, in a file outside its folder, each with its reason."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from jobs.clock import Clock
from jobs.disk import unusable
from jobs.errors import Unusable
from jobs.intake.quarantine import REASON, write_originals
from jobs.intake.stage import SOURCE_ROW
from jobs.intake.workspace import workspace
from jobs.ledger.erase import forgotten
from jobs.ledger.history import outcome_windows
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.model import ATTENTION, Outcome
from jobs.privacy import age_files
from jobs.progress import Progress
from jobs.publishing.mending import sentence
from jobs.run.place import Place
from jobs.run.read_input import read_again
from jobs.settings.settings import Settings
from jobs.storage.address import is_address
from jobs.storage.copies import here

SEALED = ("manifest.json", "SHA256SUMS")
"""Files that the folder of a run has; what is written there breaks its evidence."""

COLUMNS = (SOURCE_ROW, "outcome", "reason_code", "reason")


@dataclass(slots=True)
class Mended:
    """What was written. `path` None: no row ended so, and there is no file."""

    path: Path | None
    encoding: str = "utf-8"
    outcomes: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    """Rows of persons who were forgotten: nobody gives them back from the input."""

    @property
    def rows(self) -> int:
        """Rows in the file."""
        return self.outcomes.total()


def mend(
    run: RunRow,
    settings: Settings,
    clock: Clock,
    target: Path,
    *,
    outcomes: Collection[Outcome] = ATTENTION,
    progress: Progress | None = None,
) -> Mended:
    """Writes the rows of `run` that ended in one of `outcomes` to `target` (new, 0600), in the encoding of the input.

    Raises Unusable: `target` is there already or in the folder of a run, the input is gone or was changed.
    """
    refuse_place(target, run, settings)
    age_files.refuse_unusable(settings.recipient)
    with ExitStack() as stack:
        work = stack.enter_context(workspace(settings.workplace, clock))
        store = stack.enter_context(Store.opened(settings.ledger))
        counts = store.outcome_counts(run.run_id)
        if not any(counts.get(outcome) for outcome in outcomes):
            return Mended(None)
        batch = read_again(run, settings, Place(work, clock, progress or Progress()))
        mended = Mended(target, batch.file.encoding)
        try:
            key = settings.recipient
            plain = target if key is None else work / "mended.csv"
            write_originals(batch.staged, reasons(store, run, outcomes, mended), plain, mended.encoding)
            if key is not None:
                age_files.encrypt(plain, target, key)
        except OSError as error:
            raise unusable(error, target.parent) or error from error
        return mended


def refuse_place(target: Path, run: RunRow, settings: Settings) -> None:
    """Raises Unusable for a place that holds evidence, or a file somebody may have worked on."""
    if is_address(target):
        raise Unusable(f"{target.name}: rows to be corrected are written to a file here", hint="--to FILE")
    own, out = here(run.folder).resolve(), settings.out.resolve()
    there = target.absolute().resolve()
    of_a_run = there.is_relative_to(out) and len(there.relative_to(out).parts) > 1
    if of_a_run or there.is_relative_to(own) or _sealed(there.parent):
        raise Unusable(
            f"{target} would lie in the folder of a run, whose files are evidence and stay as they are",
            hint="give --to a FILE outside of it",
        )
    if target.exists() or target.is_symlink():
        raise Unusable(f"{target} is there already, perhaps with corrections", hint="give --to another FILE")
    if not target.absolute().parent.is_dir():
        raise Unusable(f"{target.parent} is no folder", hint="give --to a FILE in a folder that is there")


def _sealed(folder: Path) -> bool:
    return any(all((place / name).exists() for name in SEALED) for place in (folder, *folder.parents))


def reasons(store: Store, run: RunRow, outcomes: Collection[Outcome], mended: Mended) -> Iterator[pl.DataFrame]:
    """The rows wanted, window by window, with why each ended so; counted in `mended`. None of a forgotten person."""
    wanted, gone = {outcome.value for outcome in outcomes}, forgotten(store, run.run_id)
    for window in outcome_windows(store, run.run_id, COLUMNS):
        ended = [row for row in window if row[1] in wanted]
        rows = [row for row in ended if row[0] not in gone]
        mended.left_out += len(ended) - len(rows)
        mended.outcomes.update(row[1] for row in rows)
        told = [(row[0], _fit(sentence(run.run_id, *row), mended.encoding)) for row in rows]
        yield pl.DataFrame(told, schema={SOURCE_ROW: pl.Int64, REASON: pl.String}, orient="row")


def _fit(text: str, encoding: str) -> str:
    """`text` with `?` for what the file's encoding has no sign for; the file's own values always have one."""
    return text.encode(encoding, "replace").decode(encoding)
