"""`outcome.csv` and `outcome.parquet`: one line per input row, in input order. Counts what it writes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from jobs.errors import Unproven
from jobs.model import Outcome
from jobs.reports.folder import RunFolder
from jobs.reports.table import write_table
from schemas.outcome import OUTCOME_SCHEMA

EXAMPLES = 3
"""Rows named per cause; the contract: the first three."""


@dataclass(slots=True)
class OutcomeCount:
    """What was written, counted from the written lines themselves."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """Rows per outcome; only those that occur."""
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows per (outcome, reason code); a row with several codes counts under each, so the sum may exceed the rows."""
    examples: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """The first source rows of each cause, three at most."""
    warnings: Counter[str] = field(default_factory=Counter)
    """Rows per warning code."""
    ends: Counter[tuple[str, str | None, bool]] = field(default_factory=Counter)
    """Rows by (outcome, step at which they ended or None, whether they have a customer at the target)."""
    failed_checks: Counter[str] = field(default_factory=Counter)
    """Rows per check that the target's decision named as failed."""


def write_outcome(frames: Iterable[pl.DataFrame], folder: RunFolder) -> OutcomeCount:
    """Writes both files from windows (tens of thousands of rows each) and gives the counts.

    Frames have the columns of `OUTCOME_SCHEMA`, `source_row` strictly rising over all of them, `outcome` one of the
    eleven. Other columns are those of `echo.redact` and `echo.hashes`. Raises `Unproven` when a row repeats, is out of
    order or has no outcome; no file is left then.
    """
    count = OutcomeCount()
    count.rows = write_table(_counted(frames, count), folder, "outcome", OUTCOME_SCHEMA)
    return count


def _counted(frames: Iterable[pl.DataFrame], count: OutcomeCount) -> Iterator[pl.DataFrame]:
    last = 0
    for frame in frames:
        if frame.height:
            last = _in_order(frame["source_row"], last)
        _add(frame, count)
        yield frame


def _in_order(source_rows: pl.Series, last: int) -> int:
    """The last row number; every one has to be above the one before it."""
    before = pl.concat([pl.Series([last], dtype=pl.Int64), source_rows.cast(pl.Int64).head(-1)])
    wrong = (source_rows <= before).fill_null(value=True).arg_true()
    if len(wrong):
        place = wrong[0]
        raise Unproven(f"the report is out of order: source row {source_rows[place]} after {before[place]}")
    return int(source_rows[-1])


def counted(frames: Iterable[pl.DataFrame]) -> OutcomeCount:
    """The counts of frames that are not written, such as those of an earlier run."""
    count = OutcomeCount()
    for frame in frames:
        count.rows += frame.height
        _add(frame, count)
    return count


def _add(frame: pl.DataFrame, count: OutcomeCount) -> None:
    outcomes = dict(frame["outcome"].value_counts().iter_rows())
    strange = [outcome for outcome in outcomes if outcome not in set(Outcome)]
    if strange:
        raise Unproven(f"{outcomes[strange[0]]} rows have no known outcome")
    count.outcomes.update(outcomes)
    reasons = pl.col("reason_code").cast(pl.String)
    codes = frame.select("outcome", reasons.str.split(";")).explode("reason_code")
    for outcome, code, rows in codes.drop_nulls().group_by("outcome", "reason_code").len().iter_rows():
        count.causes[(outcome, code)] += rows
        known = count.examples.setdefault((outcome, code), [])
        if len(known) < EXAMPLES:
            holds = (";" + reasons + ";").str.contains(f";{code};", literal=True)
            fitting = frame.lazy().filter((pl.col("outcome") == outcome) & holds).select("source_row")
            known.extend(fitting.head(EXAMPLES - len(known)).collect()["source_row"].to_list())
    ends = frame.group_by("outcome", "failed_step", pl.col("customer_id").is_not_null().alias("customer")).len()
    for outcome, step, customer, rows in ends.iter_rows():
        count.ends[outcome, step, customer] += rows
    for counter, column in ((count.warnings, "warnings"), (count.failed_checks, "failed_checks")):
        given = frame[column].cast(pl.String).drop_nulls()
        counter.update(dict(given.filter(given != "").str.split(";").explode().value_counts().iter_rows()))
