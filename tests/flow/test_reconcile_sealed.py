"""The input is gone or was changed: the ledger's pseudonyms find the same differences, and show nobody's values."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster, lines
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def gone(muster: Muster, sandbox: Sandbox, file_of: Filed) -> Ended:
    """A run whose input was removed since."""
    path = file_of([*people(4), person(5, phone="1"), person(6, "Refused")])
    ended = muster("run", path)
    assert ended.counts["onboarded"] == 4
    path.unlink()
    return ended


def newest(ended: Ended) -> Path:
    return max(ended.folder.glob("reconcile-*"))


def found(ended: Ended) -> list[tuple[str, str, str]]:
    return [(line["source_row"], line["class"], line["field"]) for line in lines(newest(ended) / "reconciliation.csv")]


def test_unchanged_customers_match_by_their_pseudonyms(muster: Muster, sandbox: Sandbox, gone: Ended) -> None:
    ended = muster("reconcile", "run-1")
    assert found(gone)[:5] == [*((str(row), "match", "") for row in range(1, 5)), ("5", "not_sent", "")]
    assert "is gone" in ended.stdout
    assert "pseudonyms" in ended.stdout
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_a_row_that_only_its_values_could_find_is_unverified(muster: Muster, gone: Ended) -> None:
    assert muster("reconcile", "run-1").code == 1
    assert found(gone)[5] == ("6", "unverified", "")


CHANGED = {
    "firstName": ("Thandiwe", "first_name"),
    "phone1": ("27829999999", "phone"),
    "email": ("other@example.com", "email"),
    "nationalIdentityNumber": ("9001015009086", "national_id"),
}


def test_a_changed_field_is_found_and_our_value_not_shown(muster: Muster, sandbox: Sandbox, gone: Ended) -> None:
    for row, (member, (value, _)) in zip(gone.rows, CHANGED.items(), strict=False):
        sandbox.amend("customers", int(row["customer_id"]), **{member: value})
    muster("reconcile", "run-1")
    read = lines(newest(gone) / "reconciliation.csv")[:4]
    assert [line["field"] for line in read] == [field for _, field in CHANGED.values()]
    assert {line["class"] for line in read} == {"field_difference"}
    assert {(line["file_value_masked"], line["similarity"]) for line in read} == {("(only its pseudonym is kept)", "")}
    assert not any(value in (newest(gone) / "reconciliation.csv").read_text() for value, _ in CHANGED.values())


def test_another_spelling_of_the_phone_is_the_same(muster: Muster, sandbox: Sandbox, gone: Ended) -> None:
    for row, spelling in zip(gone.rows, ["+27824000001", "0824000002", "+27 82 400 0003"], strict=False):
        sandbox.amend("customers", int(row["customer_id"]), phone1=spelling)
    muster("reconcile", "run-1")
    assert [line[1] for line in found(gone)[:4]] == ["match"] * 4


def test_a_changed_input_is_not_believed(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    path = file_of(people(3))
    ended = muster("run", path)
    file_of([person(1), person(2, first_name="Other"), person(3)])
    again = muster("reconcile", "run-1")
    assert (again.code, [line[1] for line in found(ended)]) == (0, ["match"] * 3)
    assert "was changed since that run" in again.stdout


@pytest.mark.slow
def test_without_the_key_of_the_pseudonyms_nothing_is_claimed(muster: Muster, gone: Ended) -> None:
    (muster.folder / "muster.db.key").unlink()
    ended = muster("reconcile", "run-1")
    assert ended.code == 2
    assert "pseudonyms is gone" in ended.stderr
    assert list(gone.folder.glob("reconcile-*")) == []
