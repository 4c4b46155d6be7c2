"""Parquet of all kinds: a column that nobody needs refuses no file, a value does not change, damage is a sentence."""

import datetime
import random
import subprocess
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import Unusable
from jobs.intake import thrift
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
    "duration": (pl.Series([datetime.timedelta(days=1, seconds=5), None]), "P1DT5S"),
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


FILES = Path(__file__).parent / "parquet"
"""Written by pyarrow 26, pandas 3.1 and DuckDB 2.0: two people and a column `other` of the type that the name says."""

BYTES = "00000000000000000000000000000005"
MOMENT = "2026-01-31T23:30:15"
WRITTEN: dict[str, list[str | None]] = {
    "binary": ["00ff", None],
    "bool8": ["1", None],
    "byte_stream_split": ["1.5", None],
    "codec_brotli": ["x", None],
    "date32": ["2026-01-31", None],
    "date64": ["2026-01-31", None],
    "decimal128": ["1.5000000000", None],
    "decimal256": ["00d83ff0575de59fa9bb370ba5e5ad9828ae396690", None],
    "decimal32": ["1.50", None],
    "dictionary_int": ["7", None],
    "dictionary_string": ["a", None],
    "duckdb_bit": ["101", None],
    "duckdb_blob": ["00ff", None],
    "duckdb_enum": ["a", None],
    "duckdb_geometry": ["0101000000000000000000f03f0000000000000040", None],
    "duckdb_hugeint": ["123", None],
    "duckdb_infinity_date": ["2147483647", None],
    "duckdb_infinity_timestamp": ["9223372036854775807", None],
    "duckdb_interval": ["0100000002000000b80b0000", None],
    "duckdb_json": ['{"a":1}', None],
    "duckdb_map": ['[{"key":"a","value":1}]', None],
    "duckdb_timetz": ["20:02:03", None],
    "duckdb_union": ['{"element1":0,"num":2}', None],
    "duckdb_uuid": [BYTES, None],
    "duckdb_variant": ['{"metadata":"010000","value":null,"typed_value":"x"}', None],
    "duckdb_variant_object": [
        '{"metadata":"0101000161","value":null,"typed_value":{"a":{"value":null,"typed_value":1}}}',
        None,
    ],
    "duration_ns": ["P1DT5S", None],
    "fixed_size_binary": [BYTES, None],
    "fixed_size_list": ["[1,2]", None],
    "float16": ["1.5", None],
    "float_nan": ["NaN", "inf"],
    "fraction_ns": ["2026-01-31T22:53:20.123456789", None],
    "fraction_us": ["2026-01-31T23:53:20.100+01:00", None],
    "json": ['{"a":1}', None],
    "large_binary": ["00ff", None],
    "large_list": ["[1,2]", None],
    "large_string": ["x", None],
    "list": ["[1,2]", None],
    "list_of_bytes": ['["00ff"]', None],
    "map": ['[{"key":"k","value":"v"}]', None],
    "map_of_lists": ['[{"key":"k","value":[1]}]', None],
    "null": [None, None],
    "page_v2": ["x", None],
    "pandas_period": ["672", "673"],
    "row_groups": ["x", None],
    "string_view": ["x", None],
    "struct": ['{"a":"x"}', None],
    "struct_of_odd_moments": ['{"at":"2026-01-31T22:53:20Z"}', None],
    "time64": ["01:02:03", None],
    "timestamp_far": ["9999-12-31", "0001-01-01"],
    "timestamp_int96": [MOMENT, None],
    "timestamp_ns": [MOMENT, None],
    "uuid": [BYTES, None],
    "zoned_Africa_Johannesburg": ["2026-02-01T00:53:20+02:00", None],
    "zoned_GMTplus2": ["2026-01-31T22:53:20Z", None],
    "zoned_SAST": ["2026-01-31T22:53:20Z", None],
    "zoned_UTC": ["2026-01-31T22:53:20+00:00", None],
    "zoned_minus0215": ["2026-01-31T20:38:20-02:15", None],
}
"""What the column is read as."""


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


@pytest.mark.parametrize("name", WRITTEN)
def test_a_type_of_another_writer_refuses_no_file_and_keeps_its_value(name: str, tmp_path: Path) -> None:
    table = pl.read_parquet(stage(preflight(FILES / f"{name}.parquet"), tmp_path).path)

    assert table["other"].to_list() == WRITTEN[name]
    assert (table["first_name"].to_list(), table["phone"][0]) == (["Thandi", "Anna"], "0821234567")


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("needed_dictionary", []),
        ("needed_large_string", []),
        ("pandas_category", []),
        ("pandas_index", []),
        ("pandas_named_index", []),
        ("pandas_multi_index", []),
    ],
)
def test_what_pandas_and_arrow_make_of_texts_are_texts(name: str, columns: list[str], tmp_path: Path) -> None:
    table = pl.read_parquet(stage(preflight(FILES / f"{name}.parquet"), tmp_path).path)

    assert sorted(table.columns) == sorted([*HEADER.split(","), *columns, "source_row", "~line", "~surplus", "~stray"])
    assert table.select(HEADER.split(",")).row(0) == tuple(ROW.split(","))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("duplicate_other", "has two columns of the name 'other'"),
        ("duplicate_phone", "has two columns of the name 'phone'"),
        ("no_rows", "has a header but no data rows"),
        ("encrypted", "is encrypted"),
        ("encrypted_columns", "is encrypted"),
        ("bomb_groups", "expands to more than 200 times its size"),
        ("bomb_cell", "has a page of 743 MiB; at most 256 are read"),
        ("bomb_dictionary", "column 'other' has a cell of 1,000,000 bytes; at most 65,536 are read"),
        ("bomb_many", "expands to more than 200 times its size"),
        ("bomb_many_lists", "expands to more than 200 times its size"),
    ],
)
def test_what_is_not_read_is_refused_in_words(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=words):
        stage(preflight(FILES / f"{name}.parquet"), tmp_path)


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\n"
        "from jobs.errors import Unusable\n"
        "from jobs.intake.preflight import preflight\n"
        "from jobs.intake.stage import stage\n"
        "for bomb in sorted(pathlib.Path(sys.argv[1]).glob('bomb_*.parquet')):\n"
        "    try: stage(preflight(bomb), pathlib.Path(sys.argv[2]))\n"
        "    except Unusable: print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    # VmHWM and not ru_maxrss, which an exec takes over from a large worker
    run = [sys.executable, "-c", code, str(FILES), str(tmp_path)]
    done = subprocess.run(run, check=True, capture_output=True, text=True, cwd=FILES.parents[2])
    peaks = [int(each) for each in done.stdout.split()]

    assert len(peaks) == 5
    assert max(peaks) < 600 * 1024, peaks


def test_a_footer_is_read_and_written_again_without_a_change() -> None:
    for path in sorted(FILES.glob("*.parquet")):
        raw = path.read_bytes()
        if raw[-4:] != b"PAR1":
            continue
        footer = raw[-8 - int.from_bytes(raw[-8:-4], "little") : -8]
        assert footer.startswith(thrift.written(thrift.Reader(footer).struct())), path.name  # a signature may follow


@given(st.binary(max_size=80))
def test_no_bytes_are_more_than_malformed(content: bytes) -> None:
    with suppress(thrift.Malformed):
        thrift.Reader(content).struct()


def test_a_column_with_a_moment_is_a_date_at_midnight_in_its_zone_alone(tmp_path: Path) -> None:
    midnight = pl.Series([datetime.datetime(1990, 1, 31), None]).dt.replace_time_zone("Africa/Johannesburg")  # noqa: DTZ001
    values = PEOPLE | {"other": midnight, "utc": midnight.dt.convert_time_zone("UTC")}
    table = pl.read_parquet(stage(preflight(parquet(tmp_path, values)), tmp_path).path)

    assert (table["other"][0], table["utc"][0]) == ("1990-01-31", "1990-01-30T22:00:00+00:00")


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
    flipped(tmp_path, 60, seed)


@pytest.mark.slow
def test_two_thousand_damaged_files(tmp_path: Path) -> None:
    flipped(tmp_path, 2000, 7)
