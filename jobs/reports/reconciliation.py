"""`reconciliation.csv` and `.parquet`: one line per row compared, one per difference. Counts what it writes."""

from collections import Counter
from collections.abc import Iterable, Iterator

import polars as pl

from jobs.errors import Unproven
from jobs.model import MatchClass
from jobs.reports.folder import RunFolder
from jobs.reports.table import write_table
from schemas.reconciliation import RECONCILIATION_SCHEMA


def write_reconciliation(frames: Iterable[pl.DataFrame], folder: RunFolder) -> Counter[str]:
    """Writes both files from windows and gives the lines per class (only those that occur).

    Frames have the columns of `RECONCILIATION_SCHEMA`; `source_row` is null for what is only in the target. No frames
    give a header alone. Raises `Unproven` for a class that isn't one of the nine; no file is left then.
    """
    count: Counter[str] = Counter()
    write_table(_counted(frames, count), folder, "reconciliation", RECONCILIATION_SCHEMA)
    return count


def notes_of(folder: RunFolder) -> tuple[str, ...]:
    """A note about the rows whose values the target has in another spelling: no difference, and not hidden."""
    lines = pl.scan_parquet(folder.path / "reconciliation.parquet", glob=False)
    spelt = lines.filter((pl.col("class") == MatchClass.MATCH) & pl.col("field").is_not_null())
    rows = spelt.select(pl.len()).collect().item()
    if not rows:
        return ()
    words = "1 row is" if rows == 1 else f"{rows:,} rows are"
    return (f"{words} written differently at the target: reconciliation.csv names the fields, class match",)


def _counted(frames: Iterable[pl.DataFrame], count: Counter[str]) -> Iterator[pl.DataFrame]:
    for frame in frames:
        classes = dict(frame["class"].value_counts().iter_rows())
        strange = [name for name in classes if name not in set(MatchClass)]
        if strange:
            raise Unproven(f"{classes[strange[0]]} lines of the reconciliation have no known class")
        count.update(classes)
        yield frame
