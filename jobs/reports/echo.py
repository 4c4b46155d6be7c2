"""Columns of the input that no system knows: kept and echoed in the outcome, without personal numbers."""

from collections.abc import Iterable, Sequence

import polars as pl

from jobs.privacy import masking
from schemas.outcome import OUTCOME_SCHEMA

_SUSPECT = r"@|[0-9](?:[ .\-/()]?[0-9]){6,}"
"""Where `masking.text` could find something; the other values need no Python."""

SHORTEST_OWN = 5
"""Chosen: the shortest identity that is looked for; below it every second text would hit."""


def echo_names(header: Iterable[str]) -> dict[str, str]:
    """The column of `outcome.csv` for each unknown input column; `input_` goes before a name of muster's own."""
    names: dict[str, str] = {}
    for column in header:
        name = column
        while name in OUTCOME_SCHEMA or name in names.values():
            name = f"input_{name}"
        names[column] = name
    return names


def masked(frame: pl.DataFrame, echo: Sequence[str]) -> pl.DataFrame:
    """`frame` with numbers of 7 digits or more and e-mails starred in its `echo` columns."""
    return frame.with_columns(_masked(frame[column]) for column in echo)


def redact(frame: pl.DataFrame, echo: Sequence[str], own: Sequence[str]) -> pl.DataFrame:
    """`frame` with its `echo` columns masked, and without its `own` columns.

    An echoed value that holds the row's own value of an `own` column (identity, phone), in any spelling, is starred
    whole.
    """
    safe = masked(frame, echo)
    for personal in own:
        safe = safe.with_columns(_without(column, personal) for column in echo)
    return safe.drop(own)


def _masked(values: pl.Series) -> pl.Series:
    text = values.cast(pl.String)
    suspects = text.filter(text.str.contains(_SUSPECT).fill_null(value=False)).unique()
    return text.replace(suspects, pl.Series([masking.text(value) for value in suspects], dtype=pl.String))


def _without(column: str, personal: str) -> pl.Expr:
    own, value = _bare(personal), _bare(column)
    holds = value.str.contains(own, literal=True) & (own.str.len_chars() >= SHORTEST_OWN)
    return (
        pl.when(holds)
        .then(pl.lit("*").repeat_by(pl.col(column).str.len_chars()).list.join(""))
        .otherwise(column)
        .alias(column)
    )


def _bare(column: str) -> pl.Expr:
    """Letters and digits alone, so that blanks, dashes and capitals hide nothing."""
    return pl.col(column).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
