"""Refused rows and files for mending that only the holder of a key reads."""

from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from .muster import Muster
from .people import Row, person
from .test_leaks import leaks
from .test_privacy import both_verify, left

ROWS = [person(1), person(2, phone="1")]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> "pyrage.x25519.Identity":
    made = pyrage.x25519.Identity.generate()
    monkeypatch.setenv("MUSTER_RECIPIENT", str(made.to_public()))
    return made


def test_refused_rows_are_nowhere_in_clear_and_the_key_reads_them(
    muster: Muster, file_of: Callable[[list[Row]], Path], key: "pyrage.x25519.Identity"
) -> None:
    ended = muster("run", file_of(ROWS))
    assert ended.outcomes == ["onboarded", "quarantined"]
    assert not {"quarantine.csv", "quarantine.xlsx"} & {path.name for path in ended.folder.iterdir()}
    sealed = (ended.folder / "quarantine.csv.age").read_bytes()
    assert ROWS[1]["national_id"].encode() in pyrage.decrypt(sealed, [key])
    assert muster("mend", "run-1", "--to", "mended.csv.age").code == 0
    assert muster("validate", "customers.csv", "--quarantine", "refused.csv.age").code == 1
    assert ROWS[1]["national_id"].encode() in pyrage.decrypt((muster.folder / "refused.csv.age").read_bytes(), [key])
    mended = pyrage.decrypt((muster.folder / "mended.csv.age").read_bytes(), [key])
    assert b"run run-1, row 2: quarantined" in mended
    assert [each for each in leaks(left(muster), {ROWS[1]["national_id"]: "number"}) if "customers" not in each] == []
    for way in ((sealed[:-1] + b"x"), sealed + sealed):
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(way, [key])
    both_verify(muster, ended.folder)
    assert muster("purge", "--older-than", "0").code == 0
    assert not (ended.folder / "quarantine.csv.age").exists()


def test_what_is_no_key_is_refused_before_anything_is_sent(
    muster: Muster, file_of: Callable[[list[Row]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ("age1qqq", "age1" + "q" * 58):
        monkeypatch.setenv("MUSTER_RECIPIENT", wrong)
        assert muster("run", file_of(ROWS)).code == 2
    assert not (muster.folder / "runs").exists() or list((muster.folder / "runs").iterdir()) == []
