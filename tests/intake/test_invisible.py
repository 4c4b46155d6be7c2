"""Signs that nobody sees: never part of a key, and never a reason for another key than the one issued before."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.intake.normalise import INVISIBLE, JOINERS

from .split import KEYS, person, split
from .written import HEADER, ROW, rows

SIGNS = [*INVISIBLE, *JOINERS, "\u00a0", "\u2007", "\u3000", "\ufeff\u200b "]


def keyed(folder: Path, reference: str, issued: frozenset[str] | None = None) -> str:
    asked: list[str] = []

    def known(keys: Sequence[str]) -> frozenset[str]:
        asked.extend(keys)
        return frozenset(keys) & (issued or frozenset())

    content = rows(person() + "," + reference, header=HEADER + ",row_ref")
    found = split(folder, content, issued=None if issued is None else known)
    return str(found.good[1]["external_unique_id"])


@pytest.mark.few(6)
@pytest.mark.parametrize("sign", SIGNS, ids=[ascii(sign) for sign in SIGNS])
def test_an_invisible_sign_at_an_end_is_no_part_of_a_value(tmp_path: Path, sign: str) -> None:
    cells = [f"{sign}{cell}{sign}" for cell in ROW.split(",")]
    if sign in JOINERS:
        cells[:2] = ROW.split(",")[:2]  # a name may end with one
    content = rows(",".join([*cells, f"{sign}CRM-1{sign}"]), header=HEADER + ",row_ref")
    found = split(tmp_path, content)
    assert not found.bad, found.why
    assert found.good[1]["row_ref"] == "CRM-1"
    assert [found.good[1][name] for name in ("first_name", "last_name", "email", "national_id")] == [
        cell for cell in ROW.split(",") if cell != "0821234567"
    ]


def test_a_reference_with_and_without_a_mark_has_one_key(tmp_path: Path) -> None:
    assert keyed(tmp_path, "\ufeffCRM-1\u200b") == keyed(tmp_path, "CRM-1")


def test_a_key_that_was_issued_is_kept(tmp_path: Path) -> None:
    old = KEYS.customer(row_ref="\ufeffCRM-1", national_id=None)
    clean = KEYS.customer(row_ref="CRM-1", national_id=None)
    assert keyed(tmp_path, "\ufeffCRM-1 ", frozenset({old})) == old
    assert keyed(tmp_path, "\ufeffCRM-1 ", frozenset()) == clean
    assert keyed(tmp_path, "CRM-1", frozenset({old})) == clean


def test_zeros_that_come_back_do_not_change_a_key_that_was_issued(tmp_path: Path) -> None:
    short = "407255000082"
    old = KEYS.customer(row_ref=None, national_id=short)
    content = rows(person(national_id=short))
    for known, key in (({old}, old), (set(), KEYS.customer(row_ref=None, national_id="0" + short))):
        found = split(tmp_path, content, restore_zeros=True, issued=known.intersection)
        assert found.good[1]["external_unique_id"] == key


@pytest.mark.parametrize("quoted", [False, True])
def test_a_mark_where_two_files_were_put_together_is_no_part_of_a_row(tmp_path: Path, quoted: bool) -> None:
    second = person(phone="0821234568", national_id="A1234567", first_name='"Anna"' if quoted else "Anna")
    found = split(tmp_path, "\ufeff" + rows(person()) + "\ufeff" + second + "\n")
    assert [row["first_name"] for row in found.good.values()] == ["Thandi", "Anna"]
