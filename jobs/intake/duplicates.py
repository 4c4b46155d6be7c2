"""Rows of one file that share a key, phone or identity number: exact, over the whole file, in little memory.

64-bit hashes find the few candidates, the values themselves decide. What happens to the rows is for `validate`.
"""

from array import array
from collections.abc import Sequence

import polars as pl


def duplicates(accepted: pl.LazyFrame, columns: Sequence[str], fields: Sequence[str]) -> pl.DataFrame:
    """The rows to quarantine, sorted by `source_row`: `source_row`, `column` (first shared one), `other_row` (first row
    that shares it), `identical` (the rows agree in all `columns`, and an earlier one is kept).

    `fields` is what no two rows may share, in the order in which it is named. Groups are transitive. `accepted` has
    `source_row`, `columns` and `fields`; a null is shared with nobody.
    """
    candidates = _candidates(accepted, columns, fields)
    if candidates.is_empty():
        return pl.DataFrame(
            schema={"source_row": pl.Int64, "column": pl.String, "other_row": pl.Int64, "identical": pl.Boolean}
        )
    grouped = candidates.with_columns(group=_groups(candidates, fields))
    same = pl.all_horizontal(pl.col(column).n_unique().over("group") == 1 for column in columns)
    kept = same & (pl.col("source_row") == pl.col("source_row").min().over("group"))
    column = pl.coalesce(pl.when(_shared(field)).then(pl.lit(field)) for field in fields)
    other = pl.coalesce(pl.when(_shared(field)).then(_other_row(field)) for field in fields)
    return (
        grouped.with_columns(column=column, other_row=other, identical=same, kept=kept)
        .filter(~pl.col("kept"))
        .select("source_row", "column", "other_row", "identical")
        .sort("source_row")
    )


def _candidates(accepted: pl.LazyFrame, columns: Sequence[str], fields: Sequence[str]) -> pl.DataFrame:
    """The rows that surely share a field with another one."""
    suspected = [
        pl.col(field).hash().is_in(repeated.implode()) & pl.col(field).is_not_null()
        for field in fields
        if len(repeated := _repeated_hashes(accepted, field))
    ]
    if not suspected:
        return pl.DataFrame()
    names = list(dict.fromkeys(["source_row", *columns, *fields]))
    found = accepted.filter(pl.any_horizontal(suspected)).select(names).collect()
    return found.filter(pl.any_horizontal(_shared(field) for field in fields))


def _repeated_hashes(accepted: pl.LazyFrame, field: str) -> pl.Series:
    hashes = accepted.select(pl.col(field).drop_nulls().hash()).collect().to_series().sort()
    return hashes.filter(hashes == hashes.shift(1)).unique()


def _shared(field: str) -> pl.Expr:
    return pl.col(field).is_not_null() & (pl.len().over(field) > 1)


def _other_row(field: str) -> pl.Expr:
    """The first other row of the same value."""
    row = pl.col("source_row")
    first, second = row.min().over(field), row.sort().get(1, null_on_oob=True).over(field)
    return pl.when(row == first).then(second).otherwise(first)


def _groups(candidates: pl.DataFrame, fields: Sequence[str]) -> pl.Series:
    """A number for each connected group of rows (union-find, linear)."""
    parent = array("q", range(candidates.height))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    numbered = candidates.with_row_index("~row")
    for field in fields:
        first = pl.col("~row").min().over(field)
        pairs = numbered.select("~row", first.alias("~first"), shared=_shared(field)).filter("shared")
        for row, other in pairs.select("~row", "~first").iter_rows():
            left, right = root(row), root(other)
            parent[max(left, right)] = min(left, right)
    return pl.Series("group", [root(node) for node in range(candidates.height)], pl.Int64)
