"""Rows of one file that share a key, phone or identity number: exact, over the whole file, in little memory.

64-bit hashes find the few candidates, the values themselves decide. What happens to the rows is for `validate`.
"""

from array import array
from collections.abc import Mapping, Sequence

import polars as pl

from jobs.intake.phones import one_sim
from schemas.column import Column

REFERENCE = "~reference"
"""The reference that a key was derived from: as the key itself, but for its spelling."""

GIVEN = "~given"
"""A key that the file gave; null where it was derived, and differs only as what it was derived from does."""

NO_FORMS: Mapping[str, pl.Expr] = {}


def forms_of(columns: Sequence[Column]) -> dict[str, pl.Expr]:
    """By column: the form in which its values are compared, so that two spellings of one thing are one.

    That of `jobs/folded.py`, over columns. Those that are compared as they are have none.
    """
    found = {column.name: form for column in columns if (form := form_of(column)) is not None}
    derived = pl.col("external_unique_id").str.contains(r"^cust-[0-9a-f]{8}-[0-9a-f]{4}-5")
    given = pl.when(~derived).then(found["external_unique_id"])
    return found | {REFERENCE: pl.when(derived).then(found["row_ref"]), GIVEN: given}


def form_of(column: Column) -> pl.Expr | None:
    """The form in which values of `column` are compared; None: as they are."""
    value = pl.col(column.name)
    if column.kind == "phone":
        return value.map_batches(one_sim, return_dtype=pl.String)
    if column.kind in ("key", "identity"):  # printable ASCII: their shape was proven
        return value.str.to_lowercase().str.replace_all("-", "", literal=True)
    if column.kind in ("email", "reference"):
        wide = value.str.len_bytes() != value.str.len_chars()
        narrow = pl.when(wide).then(value.str.normalize("NFKC")).otherwise(value).str.to_lowercase()
        return narrow if column.kind == "email" else narrow.str.replace_all(r"[\p{Zs}\p{Pd}\p{Cf}\p{Cc}]", "")
    return None


def duplicates(
    accepted: pl.LazyFrame, columns: Sequence[str], fields: Sequence[str], forms: Mapping[str, pl.Expr] = NO_FORMS
) -> pl.DataFrame:
    """The rows to quarantine, sorted by `source_row`: `source_row`, `column` (first shared one), `other_row` (first row
    that shares it), `identical` (the rows agree in all `columns`, and an earlier one is kept).

    `forms`: what is compared in the place of a column's own value; `REFERENCE` and `GIVEN` may be named then.
    `fields` is what no two rows may share, in the order in which it is named. Groups are transitive. `accepted` has
    `source_row`, `columns` and `fields`; a null is shared with nobody.
    """
    candidates = _candidates(accepted, columns, fields, forms)
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


def _candidates(
    accepted: pl.LazyFrame, columns: Sequence[str], fields: Sequence[str], forms: Mapping[str, pl.Expr]
) -> pl.DataFrame:
    """The rows that surely share a field with another one."""
    suspected = [
        _compared(field, forms).hash().is_in(repeated.implode()) & _compared(field, forms).is_not_null()
        for field in fields
        if len(repeated := _repeated_hashes(accepted, _compared(field, forms)))
    ]
    if not suspected:
        return pl.DataFrame()
    names = list(dict.fromkeys([*columns, *fields]))
    found = accepted.filter(pl.any_horizontal(suspected)).collect()
    found = found.select("source_row", *(_compared(name, forms).alias(name) for name in names))
    return found.filter(pl.any_horizontal(_shared(field) for field in fields))


def _compared(name: str, forms: Mapping[str, pl.Expr]) -> pl.Expr:
    return forms[name] if name in forms else pl.col(name)


def _repeated_hashes(accepted: pl.LazyFrame, compared: pl.Expr) -> pl.Series:
    hashes = accepted.select(compared.drop_nulls().hash()).collect().to_series().sort()
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
