"""The outcomes of a run as its reports have them: from the ledger, in windows, the file's own columns beside them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from jobs.batch import Batch
from jobs.keys import Pseudonyms
from jobs.ledger.history import outcome_windows
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.reports.echo import hashes, redact
from jobs.settings.pseudonyms import pseudonyms_of
from schemas.column import Column
from schemas.columns import columns_of
from schemas.outcome import MENDED_FROM, OUTCOME_SCHEMA

TIMES = ("first_attempt_at", "last_attempt_at")
"""Columns of the outcome that the ledger has in milliseconds."""

LEDGER_COLUMNS = tuple(f"{name[:-3]}_ms" if name in TIMES else name for name in OUTCOME_SCHEMA)
"""The columns of the outcome as the ledger has them."""


def outcome_frames(store: Store, run: RunRow, batch: Batch) -> Iterator[pl.DataFrame]:
    """The run's outcomes from the ledger, with the file's unknown columns beside them."""
    pseudonyms = pseudonyms_of(store.url)
    for rows in outcome_windows(store, run.run_id, LEDGER_COLUMNS):
        yield shown(rows, batch, pseudonyms)


def shown(rows: Sequence[tuple[Any, ...]], batch: Batch, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Outcome rows (`LEDGER_COLUMNS`) as a report has them, with the file's unknown columns beside them."""
    kept = {name: pl.Int64() if name in TIMES else kind for name, kind in OUTCOME_SCHEMA.items()}
    times = [pl.from_epoch(name, time_unit="ms").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ") for name in TIMES]
    frame = pl.DataFrame(rows, schema=kept, orient="row").with_columns(times)
    frame = _with_origin(frame, batch) if batch.staged.mended else frame
    frame = _with_echo(frame, batch) if batch.file.echoed else frame
    return _with_hash(frame, batch, pseudonyms) if batch.file.hidden else frame


def _with_echo(frame: pl.DataFrame, batch: Batch) -> pl.DataFrame:
    """The unknown columns that were named, without the row's own identity, phone, e-mail or secrets."""
    first, last = frame["source_row"][0], frame["source_row"][-1]
    window = pl.col("source_row").is_between(first, last)
    echo = batch.staged.echo().filter(window)
    names = [name for name in echo.collect_schema().names() if name != "source_row"]
    own = {name: batch.file.header_of(name) for name in own_columns(columns_of(batch.file.system))}
    headers = {f"~own_{canonical}": header for canonical, header in own.items() if header is not None}
    personal = batch.staged.originals(headers).filter(window)
    beside = echo.join(personal, on="source_row", how="left")
    joined = frame.lazy().join(beside, on="source_row", how="left", maintain_order="left").collect()
    return redact(joined, names, list(headers))


def _with_origin(frame: pl.DataFrame, batch: Batch) -> pl.DataFrame:
    """With the run and the row that `muster mend` took each row from."""
    origin = pl.format("{}:{}", "from_run", "from_row").alias(MENDED_FROM)
    beside = batch.staged.mended_rows().select("source_row", origin)
    return frame.lazy().join(beside, on="source_row", how="left", maintain_order="left").collect()


def _with_hash(frame: pl.DataFrame, batch: Batch, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """A keyed hash stands for the unknown columns that nobody named."""
    first, last = frame["source_row"][0], frame["source_row"][-1]
    hidden = batch.staged.hidden().filter(pl.col("source_row").is_between(first, last))
    beside = (
        frame.lazy().select("source_row").join(hidden, on="source_row", how="left", maintain_order="left").collect()
    )
    return frame.with_columns(hashes(beside.drop("source_row"), pseudonyms))


def own_columns(columns: Iterable[Column]) -> tuple[str, ...]:
    """Those of `columns` whose value no echoed column of the row may repeat: personal numbers, e-mails, secrets."""
    return tuple(each.name for each in columns if each.secret or each.kind in {"identity", "phone", "email"})
