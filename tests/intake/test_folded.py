"""Two spellings of one thing are one, and what is sent keeps its spelling."""

from pathlib import Path

import pytest

from .split import person, split
from .written import HEADER, rows

OTHER = {"phone": "0821234568", "email": "other@example.com"}


@pytest.mark.parametrize(("left", "right"), [("ZN1234567", "zn1234567"), ("ZN-123 4567", "zn1234567")])
def test_an_identity_number_in_two_spellings_is_one_person(tmp_path: Path, left: str, right: str) -> None:
    found = split(tmp_path, rows(person(national_id=left), person(national_id=right, **OTHER)))
    assert found.bad == {1: "duplicate_in_file:national_id", 2: "duplicate_in_file:national_id"}


@pytest.mark.parametrize(
    ("left", "right"), [("CRM-1", "crm-1"), ("CRM-1", "CRM 1"), ("CRM-1", "CRM-１"), ("CRM–1", "crm1")]
)
def test_a_reference_in_two_spellings_is_one_customer(tmp_path: Path, left: str, right: str) -> None:
    people = [person() + f",{left}", person(national_id="A1234567", **OTHER) + f",{right}"]
    found = split(tmp_path, rows(*people, header=HEADER + ",row_ref"))
    assert found.bad == dict.fromkeys((1, 2), "duplicate_in_file:external_unique_id")


def test_keys_are_compared_so_too(tmp_path: Path) -> None:
    people = [person() + ",Cust-0001", person(national_id="A1234567", **OTHER) + ",cust-0001"]
    found = split(tmp_path, rows(*people, header=HEADER + ",external_unique_id"))
    assert found.bad == dict.fromkeys((1, 2), "duplicate_in_file:external_unique_id")


def test_the_same_row_in_another_spelling_is_the_same_row(tmp_path: Path) -> None:
    found = split(
        tmp_path, rows(person(national_id="ZN1234567"), person(national_id="zn1234567", email="Thandi@example.com"))
    )
    assert found.good[1]["national_id"] == "ZN1234567"
    assert found.bad == {2: "duplicate_in_file:phone"}
    assert "the first one is kept" in found.why[2]


def test_references_of_rows_with_keys_of_their_own_are_not_compared(tmp_path: Path) -> None:
    people = [person() + ",CRM-1,cust-0001", person(national_id="A1234567", **OTHER) + ",crm-1,cust-0002"]
    found = split(tmp_path, rows(*people, header=HEADER + ",row_ref,external_unique_id"))
    assert found.bad == {}
