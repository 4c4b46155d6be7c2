"""Parquet of all kinds: a column that nobody needs refuses no file, a value does not change, damage is a sentence."""

import datetime
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from jobs.errors import Unusable
from jobs.intake.preflight import preflight
from jobs.intake.stage import stage

from .written import HEADER, ROW

PEOPLE = {name: [cell, cell] for name, cell in zip(HEADER.split(","), ROW.split(","), strict=True)}
DAY = datetime.datetime(2026, 1, 31, 23, 30, 15)  # noqa: DTZ001 - Parquet has such moments

OTHERS: dict[str, tuple[pl.Series, str | None]] = {
    "list": (pl.Series([[1, 2], None]), "1"),
    "struct": (pl.Series([{"a": "x"}, None]), "x"),
    "list of structs": (pl.Series([[{"a": "x"}], None]), "x"),
    "array": (pl.Series([[1.5, 2.5], None], dtype=pl.Array(pl.Float64, 2)), "1.5"),
    "bytes": (pl.Series([b"\x00\xff", None]), "00ff"),
    "duration": (pl.Series([datetime.timedelta(days=1, seconds=5), None]), ""),
    "decimal": (pl.Series([Decimal("1.50"), None]), "1.50"),
    "time": (pl.Series([datetime.time(1, 2, 3), None]), "01:02:03"),
    "zoned": (pl.Series([DAY, None]).dt.replace_time_zone("Africa/Johannesburg"), "2026-01-31T23:30:15"),
    "nanoseconds": (pl.Series([DAY, None]).cast(pl.Datetime("ns")), "2026-01-31T23:30:15"),
    "category": (pl.Series(["a", None], dtype=pl.Categorical), "a"),
    "enum": (pl.Series(["a", None], dtype=pl.Enum(["a", "b"])), "a"),
    "null": (pl.Series([None, None], dtype=pl.Null), None),
    "boolean": (pl.Series([True, None]), "true"),
    "large integer": (pl.Series([2**63, None], dtype=pl.UInt64), "9223372036854775808"),
}


def parquet(folder: Path, values: dict[str, Any], **options: Any) -> Path:
    path = folder / "in.parquet"
    pl.DataFrame(values).write_parquet(path, **options)
    return path


@pytest.mark.parametrize("kind", OTHERS)
def test_a_column_that_nobody_needs_refuses_no_file_and_is_kept(tmp_path: Path, kind: str) -> None:
    values, text = OTHERS[kind]
    found = stage(preflight(parquet(tmp_path, PEOPLE | {"other": values})), tmp_path)
    table = pl.read_parquet(found.path)
    first, second = table["other"].to_list()
    assert second is None
    assert first is None if text is None else text in first
    assert {name: table[name].to_list() for name in PEOPLE} == PEOPLE


@pytest.mark.parametrize("kind", ["list", "struct", "bytes", "duration"])
def test_a_column_that_is_needed_must_have_a_text(tmp_path: Path, kind: str) -> None:
    with pytest.raises(Unusable, match=r"column .national_id. is of type .*, which has no text"):
        preflight(parquet(tmp_path, PEOPLE | {"national_id": OTHERS[kind][0]}))


def test_several_row_groups_keep_their_order(tmp_path: Path) -> None:
    many = {name: cells * 500 for name, cells in PEOPLE.items()} | {"n": [str(n) for n in range(1000)]}
    found = stage(preflight(parquet(tmp_path, many, row_group_size=7)), tmp_path)
    assert pl.read_parquet(found.path)["n"].to_list() == many["n"]


def flipped(folder: Path, times: int, seed: int) -> None:
    """Fails with the seed where a damaged file ends in anything but its own rows or a sentence."""
    chance = random.Random(seed)
    people = {name: cells * 50 for name, cells in PEOPLE.items()} | {"tags": [[1, 2], None] * 50}
    raw = parquet(folder, people).read_bytes()
    path = folder / "damaged.parquet"
    for number in range(times):
        content = bytearray(raw)
        for _ in range(chance.choice([1, 1, 1, 4, 32])):
            content[chance.randrange(4, len(content))] ^= chance.randrange(1, 256)
        path.write_bytes(bytes(content[: chance.choice([len(content)] * 9 + [chance.randrange(5, len(content))])]))
        try:
            stage(preflight(path), folder)
        except Unusable:
            continue
        except BaseException as error:
            raise AssertionError(f"seed {seed}, file {number}: {type(error).__name__}: {error}") from error


@pytest.mark.parametrize("seed", [20261129])
def test_a_damaged_file_is_refused_in_words(tmp_path: Path, seed: int) -> None:
    flipped(tmp_path, 150, seed)


@pytest.mark.slow
def test_two_thousand_damaged_files(tmp_path: Path) -> None:
    flipped(tmp_path, 2000, 7)
