"""What an input file may be, and the sentence for each that it may not."""

import gzip
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard

from jobs.errors import Unusable
from jobs.intake.preflight import preflight

from .written import HEADER, ROW, read, rows, written

SEMICOLON = HEADER.replace(",", ";"), ROW.replace(",", ";")
UNUSABLE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "only a BOM": (b"\xef\xbb\xbf", "is empty"),
    "only line ends": (b"\n\r\n\n", "is empty"),
    "header only": (HEADER.encode(), "no data rows"),
    "header and blank lines": (f"{HEADER}\n\n\n".encode(), "no data rows"),
    "latin-1": (
        rows(ROW, ROW.replace("Thandi", "Jos\xe9")).encode("latin-1"),
        r"byte 106 \(0xE9\), line 3, column 4; try --enc",
    ),
    "latin-1 in the header": (b"n\xe9e," + HEADER.encode() + b"\n", r"line 1, column 2; try --encoding cp1252"),
    "cut UTF-8 at the end": (rows(ROW).encode() + b"\xc3", "line 3, column 1"),
    "UTF-16 without BOM": (rows(ROW).encode("utf-16-le"), "--encoding utf-16-le"),
    "UTF-16BE without BOM": (rows(ROW).encode("utf-16-be"), "--encoding utf-16-be"),
    "CR only": (rows(ROW, ROW).replace("\n", "\r").encode(), "CR only"),
    "unterminated quote": (
        rows(ROW, '"Tha' + ROW, ROW).encode(),
        r"line 3: a quote that opens in this row is never closed",
    ),
    "text after a quote": (rows(ROW, '"Tha"ndi' + ROW).encode(), r"line 3: text follows a closing quote"),
    "backslash quote": (rows('"a\\"b"' + ROW).encode(), r"line 2: text follows a closing quote"),
    "a quote swallows the file": (
        rows('"' + ROW, *[ROW] * 2000, '"').encode(),
        r"line 2: a field is longer than 65,536",
    ),
    "repeated header": (
        rows(ROW + ",1,2", header=HEADER + ",note,note").encode(),
        "columns 6 and 7 are both named 'note'",
    ),
    "two columns for one": (
        rows(ROW + ",1", header=HEADER + ",phone1").encode(),
        "'phone' and 'phone1' both mean phone",
    ),
    "missing columns": (rows("a,b", header="first_name,last_name").encode(), "missing: phone, email, national_id"),
    "misspelt column": (rows(ROW, header=HEADER.replace("email", "emial")).encode(), "did you mean 'emial' for email?"),
    "wrong delimiter": (rows(ROW, header=HEADER).replace(",", ":").encode(), "one single column.*--delimiter"),
    "zip": (b"PK\x03\x04" + b"x" * 100, "Excel workbook"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel workbook"),
    "bzip2": (b"BZh91AY", "bzip2"),
    "cut gzip": (gzip.compress(rows(ROW).encode())[:-9], "cut short"),
    "cut zstd": (zstandard.compress(rows(*[ROW] * 9).encode())[:-3], "cut short"),
    "damaged gzip": (gzip.compress(rows(ROW).encode())[:12] + b"\xff" * 50, "damaged"),
    "gzip in gzip": (gzip.compress(gzip.compress(rows(ROW).encode())), "another packed file"),
    "endless line": (HEADER.encode() + b"\n" + b"x" * (17 << 20), "more than 16,777,216 characters"),
    "not Parquet": (b"PAR1" + b"x" * 100, "no readable Parquet"),
}


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_says_in_one_sentence_why_a_file_is_unusable(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence) as refusal:
        read(tmp_path, content)

    assert refusal.value.message.startswith("in.csv")
    assert "\n" not in refusal.value.message
    assert "example.com" not in refusal.value.message


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]) -> None:
    monkeypatch.setattr("jobs.intake.source.EXPANSION_FREE", 1 << 20)
    bomb = compress((rows(ROW) + "\n" * (3 << 20)).encode())

    with pytest.raises(Unusable, match="expands to more than 200 times"):
        read(tmp_path, bomb)


READABLE: dict[str, tuple[bytes, dict[str, str], int]] = {
    "plain": (rows(ROW).encode(), {}, 1),
    "no final line end": (rows(ROW).strip().encode(), {}, 1),
    "CRLF": (rows(ROW, ROW).replace("\n", "\r\n").encode(), {}, 2),
    "mixed line ends": (f"{HEADER}\r\n{ROW}\n{ROW}\r{ROW}\r\n".encode(), {}, 3),
    "UTF-8 BOM": (b"\xef\xbb\xbf" + rows(ROW).encode(), {}, 1),
    "UTF-16 BOM": (rows(ROW).encode("utf-16"), {}, 1),
    "UTF-32 BOM": (rows(ROW).encode("utf-32"), {}, 1),
    "declared UTF-16": (rows(ROW).encode("utf-16-le"), {"encoding": "utf-16-le"}, 1),
    "declared cp1252": (rows(ROW.replace("Thandi", "José")).encode("cp1252"), {"encoding": "cp1252"}, 1),
    "semicolon": ("\n".join(SEMICOLON).encode(), {}, 1),
    "tab": ("\n".join(SEMICOLON).replace(";", "\t").encode(), {}, 1),
    "pipe": ("\n".join(SEMICOLON).replace(";", "|").encode(), {}, 1),
    "declared delimiter": ("\n".join(SEMICOLON).replace(";", "^").encode(), {"delimiter": "^"}, 1),
    "sep line": (("sep=;\n" + "\n".join(SEMICOLON)).encode(), {}, 1),
    "blank lines before and after": (f"\n\n{rows(ROW)}\n  \n\n".encode(), {}, 1),
    "blank line inside": (rows(ROW, "", ROW).encode(), {}, 2),
    "Ctrl-Z at the end": (rows(ROW).encode() + b"\x1a", {}, 1),
    "quoted line end": (rows(ROW + ',"a\nb"', header=HEADER + ",note").encode(), {}, 1),
    "gzip": (gzip.compress(rows(ROW).encode()), {}, 1),
    "two gzip members and padding": (
        gzip.compress(f"{HEADER}\n{ROW[:9]}".encode()) + gzip.compress(ROW[9:].encode()) + b"\0" * 9,
        {},
        1,
    ),
    "zstd": (zstandard.compress(rows(ROW).encode()), {}, 1),
    "two zstd frames": (zstandard.compress(f"{HEADER}\n".encode()) + zstandard.compress(ROW.encode()), {}, 1),
    "the target's spellings": (
        rows(ROW, header="firstName,LAST NAME,phone1,E-Mail,nationalIdentityNumber").encode(),
        {},
        1,
    ),
    "invisible signs in the header": (rows(ROW, header=HEADER.replace("phone", "\u00a0pho\u200bne ")).encode(), {}, 1),
    "our own names": (rows(ROW + ",1,2,3", header=HEADER + ",source_row,check_output,~line").encode(), {}, 1),
    "an unnamed column": (rows(ROW + ",", header=HEADER + ",").encode(), {}, 1),
}


@pytest.mark.parametrize(("content", "options", "count"), READABLE.values(), ids=READABLE.keys())
def test_reads_what_can_be_read(tmp_path: Path, content: bytes, options: dict[str, str], count: int) -> None:
    file = read(tmp_path, content, **options)

    assert file.rows == count
    assert {name for name in file.mapping.values() if name} == set(HEADER.split(","))
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert file.size == len(content)


def test_ragged_rows_keep_their_physical_line(tmp_path: Path) -> None:
    note = ROW + ',"two\nlines"'
    file = read(tmp_path, rows(note, ROW, note + ",x,y", "", note, header=HEADER + ",note"))

    assert file.ragged == {2: (4, 5), 3: (5, 8)}
    assert (file.ragged_rows, file.skipped_lines) == (2, 1)


def test_ragged_rows_are_bounded_in_memory(tmp_path: Path) -> None:
    file = read(tmp_path, rows(*["x"] * 3000, ROW))

    assert (file.ragged_rows, len(file.ragged)) == (3000, 1000)


def test_settings_map_any_header_and_beat_the_table(tmp_path: Path) -> None:
    path = written(tmp_path, rows(ROW + ",1", header=HEADER.replace("phone", "Cell No") + ",phone"))
    file = preflight(path, columns={"cell no": "phone"})

    assert file.mapping["Cell No"] == "phone"
    assert file.mapping["phone"] is None
    assert file.unknown == ("phone",)


def test_settings_can_set_a_column_aside(tmp_path: Path) -> None:
    path = written(tmp_path, rows(ROW + ",1", header=HEADER + ",phone1"))

    assert preflight(path, columns={"phone1": ""}).unknown == ("phone1",)


def test_settings_that_name_no_column_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, rows(ROW))
    with pytest.raises(Unusable, match=re.escape("did you mean 'national_id'?")):
        preflight(path, columns={"x": "nationalid_"})


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "\0"])
def test_an_encoding_nobody_knows_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(Unusable, match="--encoding"):
        read(tmp_path, rows(ROW), encoding=encoding)


def test_a_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unusable, match="no regular file"):
        preflight(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["missing.csv", ".", "a\0b"])
def test_what_cannot_be_opened_is_unusable(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unusable):
        preflight(tmp_path / name)


def test_a_file_that_grows_while_it_is_read_is_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, rows(ROW))

    def grow(*_: object) -> str:
        with path.open("a") as file:
            file.write(ROW)
        return "utf-8"

    monkeypatch.setattr("jobs.intake.preflight.encoding_of", grow)
    with pytest.raises(Unusable, match="changed while it was read"):
        preflight(path)


def test_parquet_numbers_are_remembered(tmp_path: Path) -> None:
    cells = dict(
        zip(HEADER.split(","), [["A"], ["B"], [27821234567.0], ["a@example.com"], [9001015009086]], strict=True)
    )
    pl.DataFrame(cells).write_parquet(tmp_path / "in.parquet")
    file = preflight(tmp_path / "in.parquet")

    assert (file.format, file.rows, file.numeric) == ("parquet", 1, {"phone", "national_id"})


def test_parquet_columns_without_text_are_refused(tmp_path: Path) -> None:
    cells = {name: [["x"]] for name in HEADER.split(",")}
    pl.DataFrame(cells).write_parquet(tmp_path / "in.parquet")
    with pytest.raises(Unusable, match="column 'first_name' is of type List"):
        preflight(tmp_path / "in.parquet")
