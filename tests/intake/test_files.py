"""Documents that rows name: looked at once, and believed where an earlier run looked."""

from pathlib import Path

import polars as pl

from jobs.intake.files import Files

CODE = "value_invalid:id_front_file"


def test_only_rows_that_name_an_unusable_document_are_marked(tmp_path: Path) -> None:
    (tmp_path / "front.pdf").write_bytes(b"%PDF-1.7")
    names = pl.Series(["front.pdf", None, "back.pdf", "../front.pdf"])
    bad = Files(tmp_path).unusable(CODE, names, pl.Series([1, 2, 3, 4]))
    assert bad.to_list() == [False, False, True, True]


def test_what_an_earlier_run_found_is_not_looked_at_again(tmp_path: Path) -> None:
    asked: list[tuple[str, int, int]] = []

    def refused(code: str, first: int, last: int) -> dict[int, bool]:
        asked.append((code, first, last))
        return {7: False, 8: True}

    names = pl.Series(["gone.pdf", "gone.pdf", "gone.pdf"])
    bad = Files(tmp_path, refused=refused).unusable(CODE, names, pl.Series([7, 8, 9]))
    assert (bad.to_list(), asked) == ([False, True, True], [(CODE, 7, 9)])


def test_a_file_without_documents_asks_nobody(tmp_path: Path) -> None:
    def refused(*_: object) -> dict[int, bool]:
        raise AssertionError

    names = pl.Series([None, None], dtype=pl.String)
    assert Files(tmp_path, refused=refused).unusable(CODE, names, pl.Series([1, 2])).to_list() == [False, False]
