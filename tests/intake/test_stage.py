"""What is staged is what stood in the file: by the strict reader's account, cell by cell."""

import csv
import io
import random
import stat
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jobs.errors import Unusable
from jobs.intake.preflight import preflight
from jobs.intake.stage import echo_names, stage, staged_name
from tests.examples import some

from .written import HEADER, ROW, read, rows, staged, written

CELL = st.text(st.sampled_from("ab,;\"'\\ \t\n\r\u2028é=0.-\x00\x1a\ufeff"), max_size=8)


def written_in(cells: list[list[str]]) -> list[tuple[str, ...]]:
    """The rows that say anything."""
    return [tuple(row) for row in cells if any(cell.strip(" \t\r\n\x1a\ufeff") for cell in row)]


def cells_of(path: Path, header: str = HEADER) -> list[tuple[str | None, ...]]:
    return pl.read_parquet(path).select(staged_name(name) for name in header.split(",")).rows()


@settings(max_examples=some(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=5, max_size=5), min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_every_cell_survives(tmp_path: Path, cells: list[list[str]], delimiter: str, quoting: Literal[0, 1]) -> None:
    assume(written_in(cells))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=quoting)
    writer.writerows([HEADER.split(","), *cells])

    found = staged(tmp_path, text.getvalue(), delimiter=delimiter)

    assert cells_of(found.path) == written_in(cells)


PLAIN = st.text(st.sampled_from("a0=#'\\ \t\u2028é\x1a\ufeff\x0b\x0c\x85\x1c"), max_size=6)


@settings(max_examples=some(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(PLAIN, min_size=5, max_size=5), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_files_that_polars_reads_itself_survive_too(tmp_path: Path, cells: list[list[str]], ending: str) -> None:
    said = written_in(cells)
    assume(said)
    found = staged(tmp_path, "".join(",".join(row) + ending for row in [HEADER.split(","), *cells]))

    marked = any("\ufeff" in cell for row in cells for cell in row)
    assert found.file.plain != (marked or len(said) < len(cells))
    assert cells_of(found.path) == said


def test_values_are_text_and_never_typed(tmp_path: Path) -> None:
    cells = ("007", "1e5", "2.78E+10", "", "true")
    found = staged(tmp_path, rows(",".join(cells), ",".join(cells)))

    assert found.file.plain
    assert cells_of(found.path) == [cells, cells]


@pytest.mark.parametrize("quote", ["", '"'])
def test_plain_and_rewritten_files_stage_alike(tmp_path: Path, quote: str) -> None:
    chance = random.Random(5)
    cells = [["".join(chance.choices("abcé 01", k=6)) for _ in range(5)] for _ in range(3000)]
    text = rows(*(",".join([*row[:4], quote + row[4] + quote]) for row in cells))
    found = staged(tmp_path, text if not quote else text + rows('a,b,c,d,"q""q"', header="x,x,x,x,x"))

    assert found.file.plain == (not quote)
    assert cells_of(found.path)[:3000] == [tuple(row) for row in cells]
    assert pl.read_parquet(found.path)["~line"].to_list()[:3000] == list(range(2, 3002))


def test_ragged_rows_keep_all_their_cells(tmp_path: Path) -> None:
    found = staged(tmp_path, rows("a,b", ROW, "a,b,c,d,e,f,\xfc", "", "a,b,c,d,"))
    table = pl.read_parquet(found.path)

    assert table["~surplus"].to_list() == ["-3", None, '["f","\xfc"]', None]
    assert cells_of(found.path)[0] == ("a", "b", None, None, None)
    assert cells_of(found.path)[3] == ("a", "b", "c", "d", "")


def test_a_stray_quote_loses_no_row(tmp_path: Path) -> None:
    wide = [ROW.replace("Thandi", '6" pipe') if number == 50 else ROW for number in range(200)]
    found = staged(tmp_path, rows(*wide))

    assert found.rows == 200
    assert cells_of(found.path)[50][0] == '6" pipe'


def test_the_staged_file_is_private_and_alone(tmp_path: Path) -> None:
    found = staged(tmp_path, rows(ROW, "short"))

    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "staged.parquet"]


@pytest.mark.parametrize("content", [rows(ROW, ROW), rows(ROW, "short")], ids=["plain", "rewritten"])
def test_a_file_changed_after_preflight_is_unusable(tmp_path: Path, content: str) -> None:
    file = read(tmp_path, content)
    written(tmp_path, content + ROW + "\n")

    with pytest.raises(Unusable, match="changed while it was read"):
        stage(file, tmp_path)
    assert not list(tmp_path.glob("*.csv.*"))


def test_parquet_numbers_become_the_text_that_was_meant(tmp_path: Path) -> None:
    columns = [["A", None], [1.5, None], [27821234567.0, None], [None, "x"], [9001015009086, None]]
    frame = pl.DataFrame(dict(zip(HEADER.split(","), columns, strict=True))).with_columns(born=pl.date(1990, 1, 31))
    frame.write_parquet(tmp_path / "in.parquet")
    found = stage(preflight(tmp_path / "in.parquet"), tmp_path)

    assert cells_of(found.path, HEADER + ",born") == [
        ("A", "1.5", "27821234567", None, "9001015009086", "1990-01-31"),
        (None, None, None, "x", None, "1990-01-31"),
    ]


def test_headers_that_look_like_ours_stay_apart(tmp_path: Path) -> None:
    names = HEADER + ",source_row,~line,check_output,,~surplus,~source_row"
    found = staged(tmp_path, rows(ROW + ",1,2,3,4,5,6", header=names))

    assert cells_of(found.path, names)[0][5:] == ("1", "2", "3", "4", "5", "6")
    assert pl.read_parquet(found.path)["source_row"].to_list() == [1]


def test_unknown_columns_are_echoed_under_names_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(rows(ROW + ",x,y,z", header=HEADER + ",outcome,Branch,_reasons"), encoding="utf-8")
    found = stage(preflight(path, echo=("outcome", "Branch")), tmp_path)

    assert found.echo().collect().to_dicts() == [{"source_row": 1, "input_outcome": "x", "Branch": "y"}]
    assert echo_names(("outcome", "input_outcome")) == ("input_input_outcome", "input_outcome")
