"""A declared encoding is believed only as far as the file does not say otherwise."""

import codecs
from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.intake.source import CHUNK

from .split import person, split
from .written import read, rows

NAMES = rows(*[person(first_name=name) for name in ("Zoë", "Müller", "Nkosi")])


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850", "mac_roman", "cp1251", "iso8859-15"])
def test_utf_8_declared_as_something_else_is_refused_with_both_readings(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(Unusable, match="is UTF-8 from end to end") as refused:
        read(tmp_path, NAMES, encoding=encoding)
    wrong = "oë".encode().decode(encoding)
    assert "'Zoë'" in str(refused.value)
    assert repr("Z" + wrong) in str(refused.value)


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "big5", "euc_kr", "shift_jis", "cp932", "euc_jp"])
def test_utf_8_declared_as_an_encoding_of_several_bytes_is_refused(tmp_path: Path, encoding: str) -> None:
    names = ("李雷", "Zoë", "山田")
    readable = [name for name in names if _reads(name, encoding)]
    with pytest.raises(Unusable, match=r"is UTF-8 from end to end|is not ") as refused:
        read(tmp_path, rows(*[person(first_name=name) for name in readable or names]), encoding=encoding)
    if readable:
        assert f"and --encoding says {encoding}: it holds " in str(refused.value)
        assert "which would be sent as" in str(refused.value)


def _reads(name: str, encoding: str) -> bool:
    try:
        return bool(f"{name},".encode().decode(encoding))
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize(
    ("encoding", "name"), [("gbk", "王小明"), ("big5", "王小明"), ("euc_kr", "김철수"), ("shift_jis", "山田太郎")]
)
def test_several_bytes_a_sign_that_are_declared_rightly_are_read(tmp_path: Path, encoding: str, name: str) -> None:
    found = split(tmp_path, rows(person(first_name=name)).encode(encoding), {"encoding": encoding})
    assert found.good[1]["first_name"] == name


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("name", ["Zoë", "Nkosi"])
def test_utf_8_declared_as_utf_16_is_refused(tmp_path: Path, encoding: str, name: str) -> None:
    content = rows(person(first_name=name))
    with pytest.raises(Unusable, match=r"is UTF-8 from end to end|is not utf-32"):
        read(tmp_path, content if len(content.encode()) % 2 == 0 else content + "\n", encoding=encoding)


@pytest.mark.parametrize("declared", ["cp1252", "gbk", "utf-8", "utf-16-be"])
def test_utf_16_without_a_mark_that_is_declared_as_something_else_is_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(Unusable, match="say --encoding utf-16-le"):
        read(tmp_path, rows(person()).encode("utf-16-le"), encoding=declared)


def test_no_whole_name_is_shown(tmp_path: Path) -> None:
    with pytest.raises(Unusable) as refused:
        read(tmp_path, rows(person(first_name="Katharinë")), encoding="cp1252")
    assert "'inë'" in str(refused.value)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850", "mac_roman"])
def test_what_is_declared_rightly_is_read(tmp_path: Path, encoding: str) -> None:
    found = split(tmp_path, rows(person(first_name="Zoë")).encode(encoding), {"encoding": encoding})
    assert found.good[1]["first_name"] == "Zoë"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850"])
def test_ascii_says_nothing_against_a_declaration(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, rows(person()), encoding=encoding).rows == 1


def test_a_sign_cut_by_the_end_of_a_chunk_is_seen_whole(tmp_path: Path) -> None:
    size = len(rows(person())) - len(rows())
    filler = rows(*[person()] * ((CHUNK - len(rows())) // size))
    for shift in range(CHUNK - len(filler) - 3, CHUNK - len(filler)):  # the sign lies before, across, behind the end
        content = filler + "x" * shift + "ë," + person().partition(",")[2] + "\n"
        with pytest.raises(Unusable, match="from end to end"):
            read(tmp_path, content, encoding="cp1252")


@pytest.mark.parametrize(
    ("mark", "declared"),
    [
        (codecs.BOM_UTF8, "cp1252"),
        (codecs.BOM_UTF8, "utf-16"),
        (codecs.BOM_UTF16_LE, "utf-8"),
        (codecs.BOM_UTF16_BE, "latin-1"),
    ],
)
def test_a_byte_order_mark_contradicts_any_other_declaration(tmp_path: Path, mark: bytes, declared: str) -> None:
    with pytest.raises(
        Unusable, match=f"begins with the byte order mark of UTF-(8|16), and --encoding says .*{declared[-2:]}"
    ):
        read(tmp_path, mark + rows(person()).encode(), encoding=declared)


@pytest.mark.parametrize("declared", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_byte_order_mark_that_agrees_is_none_of_the_text(tmp_path: Path, declared: str) -> None:
    file = read(tmp_path, codecs.BOM_UTF8 + rows(person()).encode(), encoding=declared)
    assert file.header[0] == "first_name"


@pytest.mark.parametrize("declared", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_is_read_by_its_mark(tmp_path: Path, declared: str) -> None:
    assert read(tmp_path, rows(person()).encode("utf-16"), encoding=declared).header[0] == "first_name"


@pytest.mark.parametrize("declared", ["utf-7", "UTF_7", "u7"])
def test_utf_7_is_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(Unusable, match="utf-7 is not read"):
        read(tmp_path, rows(person()), encoding=declared)
