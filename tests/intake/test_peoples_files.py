"""Files as people make them: blank lines, delimiters too many, lines before the header, files put together."""

import os
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from jobs.cli import cli
from jobs.errors import Unusable
from jobs.intake.preflight import preflight

from .split import person, split
from .written import HEADER, read, rows, written

PEOPLE = [person(phone=f"08212345{n:02}", national_id=f"A12345{n}", first_name=f"N{n}a") for n in range(3)]


@pytest.mark.parametrize("blank", ["", "   ", ",,,,", " , ,, ,", "\t", ",,,,,,,", "\x1a"])
def test_blank_lines_are_no_rows_wherever_they_stand(tmp_path: Path, blank: str) -> None:
    content = rows(PEOPLE[0], blank, PEOPLE[1], blank, blank, PEOPLE[2], blank)
    found = split(tmp_path, content)
    assert (list(found.good), found.bad) == ([1, 2, 3], {})
    assert preflight(tmp_path / "in.csv").skipped_lines == 4


def test_a_row_with_anything_in_it_is_a_row(tmp_path: Path) -> None:
    found = split(tmp_path, rows(*PEOPLE, ",,x,,"))
    assert found.bad.keys() == {4}


def test_lines_are_still_those_of_the_file(tmp_path: Path) -> None:
    found = split(tmp_path, rows(PEOPLE[0], "", ",,,,", person(phone="nobody")))
    assert found.why[2].startswith("line 5: ")


def test_a_delimiter_at_the_end_of_every_row_is_no_field(tmp_path: Path) -> None:
    found = split(tmp_path, rows(*[f"{row}," for row in PEOPLE]))
    assert (list(found.good), found.bad) == ([1, 2, 3], {})


def test_a_delimiter_at_the_end_of_some_rows_may_be_a_shift(tmp_path: Path) -> None:
    found = split(tmp_path, rows(*PEOPLE[:2], PEOPLE[2] + ","))
    assert found.bad == {3: "column_count:_surplus"}


def test_files_that_were_put_together_repeat_their_header(tmp_path: Path) -> None:
    found = split(tmp_path, rows(*PEOPLE[:2]) + "\ufeff" + rows(PEOPLE[2]))
    assert (list(found.good), found.bad) == ([1, 2, 3], {})
    assert preflight(tmp_path / "in.csv").skipped_lines == 1


def test_a_line_of_totals_is_refused_and_no_customer(tmp_path: Path) -> None:
    found = split(tmp_path, rows(*PEOPLE, "Total,3,,,"))
    assert list(found.good) == [1, 2, 3]
    assert "missing:phone" in found.bad[4]


@pytest.mark.parametrize(
    "before", [["Customers of branch 7"], ["Customers, branch 7,,,", "made by: CRM,,,,"], ["a,b,c,d,e"]]
)
def test_lines_before_the_header_are_recognised_and_left_out_when_asked(tmp_path: Path, before: list[str]) -> None:
    content = "\n".join(before) + "\n" + rows(*PEOPLE)
    with pytest.raises(Unusable) as refused:
        read(tmp_path, content)
    wanted = len(before)
    assert refused.value.hint == f"line {wanted + 1} looks like the header: give --skip-lines {wanted}"
    found = split(tmp_path, content, {"skip_lines": wanted})
    assert list(found.good) == [1, 2, 3]
    bad = split(tmp_path, content + person(phone="nobody") + "\n", {"skip_lines": wanted})
    assert bad.why[4].startswith(f"line {wanted + 5}: ")


def test_validate_takes_and_tells_them(tmp_path: Path) -> None:
    path = written(tmp_path, "Customers\n" + rows(*PEOPLE, "", ""))
    arguments = ["validate", str(path), "--out", str(tmp_path / "runs"), "--skip-lines", "1"]
    told = CliRunner().invoke(cli, arguments)
    assert told.exit_code == 0, told.output
    assert "2  blank lines and repeated headers, which are no rows" in told.stdout
    assert '"skipped_lines": 2' in CliRunner().invoke(cli, [*arguments, "--output", "json"]).stdout


@pytest.mark.parametrize("header", [HEADER + ",note,note", HEADER + ",,"])
def test_columns_that_share_a_name_are_refused_with_a_hint(tmp_path: Path, header: str) -> None:
    with pytest.raises(Unusable, match="columns 6 and 7 are both") as refused:
        read(tmp_path, rows(PEOPLE[0] + ",,", header=header))
    assert refused.value.hint is not None


SKIPPED = b"\x5f\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"


@pytest.mark.parametrize("where", ["before", "between", "after", "empty"])
def test_a_skippable_frame_of_zstd_is_skipped(tmp_path: Path, where: str) -> None:
    text = rows(*PEOPLE).encode()
    parts = [zstandard.compress(text[:60]), zstandard.compress(text[60:])]
    empty = SKIPPED[:4] + bytes(4)
    content = {
        "before": SKIPPED + SKIPPED + parts[0] + parts[1],
        "between": parts[0] + SKIPPED + parts[1],
        "after": parts[0] + parts[1] + SKIPPED,
        "empty": empty + parts[0] + empty + parts[1],
    }[where]
    assert read(tmp_path, content).rows == 3


def test_a_skippable_frame_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cut short"):
        read(tmp_path, zstandard.compress(rows(*PEOPLE).encode()) + SKIPPED[:-2])


@pytest.mark.parametrize("name", [b"customers-\xe9.csv", b"f\xfcr/customers.csv"])
def test_a_path_that_is_not_utf_8_is_refused_in_words(tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.parent.mkdir(exist_ok=True)
    path.write_text(rows(*PEOPLE))
    told = CliRunner().invoke(cli, ["validate", str(path), "--out", str(tmp_path / "runs")])
    assert isinstance(told.exception, Unusable)
    assert "is not UTF-8, and reports could not say which file it was" in str(told.exception)
    str(told.exception).encode()
