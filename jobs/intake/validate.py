"""Staged rows -> accepted and quarantined: every row in exactly one of the two, with all its reasons at once.

In windows, so that memory does not grow with the file; uniqueness at the end, over the whole file.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from jobs.errors import MusterError
from jobs.intake.duplicates import GIVEN, REFERENCE, duplicates, forms_of
from jobs.intake.files import Files
from jobs.intake.judge import PERSONAL_KEY, Issued, Judge, shown_key, where
from jobs.intake.phones import check_region
from jobs.intake.stage import LINE, SOURCE_ROW, Staged, write_parquet
from jobs.keys import KeySpace
from jobs.value import value
from jobs.windows import A_FRAME
from schemas.column import InputModel
from schemas.columns import input_of

ACCEPTED = "accepted.parquet"
"""The file of the rows that passed, in the folder of those who validate."""

PART_GROUP = 25_000
"""Rows of a row group of the parts. Several are decoded ahead when the parts become one file: at 3 million rows that
took 551 MiB, and 1,265 MiB where each part was one group (measured)."""

FIRST = 3
"""Rows named for each warning; the contract's three."""

QUARANTINED_SCHEMA: dict[str, pl.DataType] = {
    "source_row": pl.Int64(),
    "row_ref": pl.String(),
    "external_unique_id": pl.String(),
    "reason_code": pl.String(),
    "reason": pl.String(),
    "phone_masked": pl.String(),
    "national_id_masked": pl.String(),
    "warnings": pl.String(),
    PERSONAL_KEY: pl.Boolean(),
}


@value
class Validated:
    """Both sides of the split, each sorted by `source_row`. `accepted_rows + quarantined_rows == rows`.

    `warnings` counts rows that carry one; `warned` has, by `code:column`, their number and the first three source rows,
    the most frequent first. `reasons` counts rows by `code:column`; a row with two counts in both.
    """

    accepted: Path
    quarantined: Path
    rows: int
    accepted_rows: int
    quarantined_rows: int
    warnings: int
    reasons: Mapping[str, int]
    warned: Mapping[str, tuple[int, tuple[int, ...]]]


def validate(
    staged: Staged,
    folder: Path,
    *,
    keys: KeySpace,
    region: str = "ZA",
    strict_ids: bool = False,
    restore_zeros: bool = False,
    files: Files | None = None,
    issued: Issued | None = None,
    today: date,
    window: int = A_FRAME,
) -> Validated:
    """`folder/accepted.parquet` and `folder/quarantined.parquet` (0600, whole or absent).

    accepted: `source_row`, every canonical column of the system normalised (null when absent; `external_unique_id`
    given or derived), `phone_masked`, `national_id_masked`, `warnings` (`code:column` joined by `;`, or null).
    quarantined: QUARANTINED_SCHEMA; keys that show the row's own identity or phone number are masked there.
    `restore_zeros`: South African identity numbers get back the leading zeros that they provably lost.
    `issued`: which keys the ledger knows (None: it is not asked); a row keeps the key that it has there.
    `files`: where documents lie (None: beside the input). `today` is the last date of birth that passes.
    Raises Unusable for an unknown region, MusterError when a row would be lost.
    """
    judge = Judge.of(
        staged.file,
        keys,
        region=check_region(region),
        strict_ids=strict_ids,
        today=today,
        files=files,
        restore_zeros=restore_zeros,
        issued=issued,
    )
    with TemporaryDirectory(dir=folder, prefix=".parts-") as name:
        parts = Path(name)
        for number, rows in enumerate(staged.windows(window)):
            accepted, quarantined = judge.split(rows)
            _keep(accepted, parts / f"accepted-{number:05}.parquet")
            _keep(quarantined, parts / f"quarantined-{number:05}.parquet")
        _settle_duplicates(parts, input_of(staged.file.system))
        paths = folder / ACCEPTED, folder / "quarantined.parquet"
        write_parquet(_scanned(parts, "accepted").drop(LINE), paths[0])
        write_parquet(_scanned(parts, "quarantined").select(*QUARANTINED_SCHEMA), paths[1])
    return _counted(staged, *paths)


def _keep(rows: pl.DataFrame, part: Path) -> None:
    """A part that is read once more: nothing is asked of its statistics."""
    rows.write_parquet(part, compression="lz4", statistics=False, row_group_size=PART_GROUP)


def _scanned(parts: Path, side: str) -> pl.LazyFrame:
    """All parts of one side, in order."""
    return pl.scan_parquet(sorted(parts.glob(f"{side}-*.parquet")), glob=False)


def _settle_duplicates(parts: Path, model: InputModel) -> None:
    """Moves rows that share a key, phone or identity number from the accepted parts to the quarantined ones."""
    accepted = _scanned(parts, "accepted")
    forms = forms_of(model.columns)
    fields = [model.distinct[0], REFERENCE, *model.distinct[1:]] if "row_ref" in model.seeds else model.distinct
    own = [GIVEN, *(column.name for column in model.columns if column.name != "external_unique_id")]
    found = duplicates(accepted, own, fields, forms)
    if found.is_empty():
        return
    found = found.with_columns(pl.col("column").replace(REFERENCE, "external_unique_id"))
    others = accepted.join(found.lazy().select("other_row"), left_on=SOURCE_ROW, right_on="other_row", how="semi")
    lines = others.select(pl.col(SOURCE_ROW).alias("other_row"), where().alias("other")).collect()
    found = found.join(lines, on="other_row", how="left")
    for part in sorted(parts.glob("accepted-*.parquet")):
        rows = pl.read_parquet(part)
        moving = rows.join(found, on=SOURCE_ROW, how="inner", maintain_order="left")
        if moving.is_empty():
            continue
        _keep(rows.join(found, on=SOURCE_ROW, how="anti", maintain_order="left"), part)
        beside = part.with_name(part.name.replace("accepted", "quarantined"))
        _keep(pl.concat([pl.read_parquet(beside), _refused_twins(moving)]).sort(SOURCE_ROW), beside)


def _refused_twins(rows: pl.DataFrame) -> pl.DataFrame:
    same = pl.lit(" (the same row; the first one is kept)")
    differ = pl.lit(" (the rows differ or lead to some that do; nobody can know which is right)")
    ending = pl.when("identical").then(same).otherwise(differ)
    return rows.select(
        SOURCE_ROW,
        LINE,
        shown_key("row_ref"),
        shown_key("external_unique_id"),
        pl.format("duplicate_in_file:{}", pl.col("column")).alias("reason_code"),
        (where() + ": " + pl.col("column") + " is that of " + pl.col("other") + " too" + ending).alias("reason"),
        "phone_masked",
        "national_id_masked",
        "warnings",
        PERSONAL_KEY,
    )


def _counted(staged: Staged, accepted: Path, quarantined: Path) -> Validated:
    """The totals, counted from the files themselves. Raises MusterError when a row is lost or in both."""
    good, bad = pl.scan_parquet(accepted, glob=False), pl.scan_parquet(quarantined, glob=False)
    ours = _rows_and_warned(good)
    theirs = _rows_and_warned(bad)
    rows = pl.concat([good.select(SOURCE_ROW), bad.select(SOURCE_ROW)])
    known = rows.select(pl.col(SOURCE_ROW).sum().alias("sum"), pl.col(SOURCE_ROW).max().alias("last")).collect().row(0)
    if ours[0] + theirs[0] != staged.rows or known != (staged.rows * (staged.rows + 1) // 2, staged.rows):
        raise MusterError(
            f"{staged.rows:,} rows were read, {ours[0]:,} accepted and {theirs[0]:,} quarantined: rows are lost"
        )
    codes = bad.select(pl.col("reason_code").str.split(";").explode().value_counts(sort=True)).unnest("reason_code")
    reasons = {code: int(count) for code, count in codes.collect().iter_rows()}
    warned = _warned(good, bad) if ours[1] + theirs[1] else {}
    return Validated(
        accepted,
        quarantined,
        staged.rows,
        accepted_rows=ours[0],
        quarantined_rows=theirs[0],
        warnings=ours[1] + theirs[1],
        reasons=reasons,
        warned=warned,
    )


def _warned(*sides: pl.LazyFrame) -> dict[str, tuple[int, tuple[int, ...]]]:
    rows = pl.concat([side.select(SOURCE_ROW, "warnings").drop_nulls("warnings") for side in sides])
    codes = rows.with_columns(pl.col("warnings").str.split(";")).explode("warnings").group_by("warnings")
    first = pl.col(SOURCE_ROW).bottom_k(FIRST).sort()
    found = codes.agg(pl.len().alias("rows"), first).sort("rows", "warnings", descending=[True, False]).collect()
    return {code: (rows, tuple(named)) for code, rows, named in found.iter_rows()}


def _rows_and_warned(frame: pl.LazyFrame) -> tuple[int, int]:
    rows, warned = (
        frame.select(pl.len().alias("rows"), pl.col("warnings").is_not_null().sum().alias("warned")).collect().row(0)
    )
    return int(rows), int(warned)
