"""Our side of a comparison as frames: what the ledger says of each row, with its values or their pseudonyms."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from jobs.batch import Batch
from jobs.ledger.store import Store
from jobs.windows import A_WINDOW

LEDGER: dict[str, pl.DataType] = {
    "source_row": pl.Int64(),
    "external_unique_id": pl.String(),
    "outcome": pl.String(),
    "customer_id": pl.String(),
    "wallet_id": pl.String(),
}
"""What the ledger says of a row."""


def of_batch(store: Store, run_id: str, batch: Batch, fields: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The run's rows with the input's values of `fields` and of what leads."""
    accepted = pl.scan_parquet(batch.validated.accepted, glob=False)
    wanted = dict.fromkeys(["source_row", "national_id", *fields])
    for entries in store.outcomes(run_id, A_WINDOW):
        frame = ledger_frame(entries)
        first, last = frame["source_row"][0], frame["source_row"][-1]
        values = accepted.filter(pl.col("source_row").is_between(first, last)).select(list(wanted)).collect()
        yield frame.join(values, on="source_row", how="left", maintain_order="left")


def of_ledger(store: Store, run_id: str, space_id: int, fields: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The run's rows with the ledger's pseudonyms of `fields`."""
    for entries in store.outcomes(run_id, A_WINDOW):
        frame = ledger_frame(entries)
        known = store.known(space_id, frame["external_unique_id"].drop_nulls().to_list())
        kept = [known[key].record.pseudonyms if key in known else {} for key in frame["external_unique_id"]]
        names = dict.fromkeys(["national_id", *fields])
        yield frame.with_columns(pl.Series(name, [each.get(name) for each in kept], pl.String) for name in names)


def ledger_frame(entries: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Outcome rows of the ledger as a frame."""
    return pl.DataFrame([{name: entry[name] for name in LEDGER} for entry in entries], schema=LEDGER)
