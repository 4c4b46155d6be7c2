"""Columns of the input that no system knows: the outcome shows those that were named, and a keyed hash of the rest."""

import re
from collections.abc import Iterable, Sequence

import orjson
import polars as pl

from jobs.keys import Pseudonyms
from jobs.privacy import masking
from schemas.identity_numbers import rightly_checked
from schemas.outcome import ECHO_HASH, OUTCOME_SCHEMA

_THIRTEEN = re.compile(r"(?<![0-9])[0-9](?:[^0-9]?[0-9]){12}(?![0-9])")
"""As many digits as a South African identity number has, with at most one sign between two of them."""

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


def redact(frame: pl.DataFrame, echo: Sequence[str], own: Sequence[str]) -> pl.DataFrame:
    """`frame` with its `echo` columns verbatim but for personal values, and without its `own` columns.

    An echoed value that holds the row's own value of an `own` column (identity, phone, e-mail, secret), in any
    spelling, is starred whole; so is one that is surely a South African identity number. E-mails are masked.
    """
    safe = frame.with_columns(_impersonal(frame[column]) for column in echo)
    for personal in own:
        safe = safe.with_columns(_without(column, personal) for column in echo)
    return safe.drop(own)


def hashes(frame: pl.DataFrame, pseudonyms: Pseudonyms) -> pl.Series:
    """By row the keyed hash of all columns of `frame` together; null where they are all empty.

    The same values give the same hash on one ledger: two reports can be compared, and nothing be read.
    """
    return pl.Series(
        ECHO_HASH,
        [pseudonyms.of("echo", orjson.dumps(values).decode()) if any(values) else None for values in frame.iter_rows()],
        pl.String,
    )


def _impersonal(values: pl.Series) -> pl.Series:
    text = values.cast(pl.String)
    suspects = text.filter(text.str.contains(r"@|[0-9](?:[^0-9]?[0-9]){12}").fill_null(value=False)).unique()
    return text.replace(suspects, pl.Series([_shown(value) for value in suspects], dtype=pl.String))


def _shown(value: str) -> str:
    numbers = pl.Series(_THIRTEEN.findall(value), dtype=pl.String).str.replace_all(r"[^0-9]", "")
    if len(numbers) and pl.select(rightly_checked(pl.lit(numbers)).any()).item():
        return "*" * len(value)
    return masking.addresses(value)


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
