"""Files and settings: what is made for a system is taken, what is not is refused before anything is sent."""

import pytest

from .bench import Bench
from .subjects import SUBJECTS


@pytest.mark.few(2, in_turn=True)
def test_the_example_file_of_the_schema_is_valid(bench: Bench) -> None:
    example = bench.folder / "example.csv"
    example.write_text(bench.muster("schema", bench.subject.name, "--format", "csv").stdout, encoding="utf-8")
    ended = bench.muster("validate", example)

    assert (ended.code, ended.stderr) == (0, ""), ended.stdout
    assert "1 accepted" in ended.stdout


def test_a_file_for_another_system_is_refused_by_that_systems_name(bench: Bench) -> None:
    other = next(each for each in SUBJECTS if each.name == bench.subject.stranger)
    ended = bench.run([other.row(1, "Nkosi")])

    assert (ended.code, bench.target.calls()) == (2, [])
    assert "required columns are missing" in ended.stderr
    assert f"--system {other.name}" in ended.stderr


def test_an_unknown_setting_is_refused_with_a_suggestion(bench: Bench) -> None:
    known = bench.subject.setting
    bench.settings(f"{known[:-1]} = 1")
    ended = bench.run(bench.rows(1))

    assert (ended.code, bench.target.calls()) == (2, [])
    assert f"[{bench.subject.name}]: unknown key '{known[:-1]}'; did you mean '{known}'?" in ended.stderr


def test_a_missing_credential_is_told_before_anything_is_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDENTITY", "PASSWORD", "PASSWORD_FILE", "TOKEN"):
        monkeypatch.delenv(f"MUSTER_{name}", raising=False)
    ended = bench.run(bench.rows(1))

    assert (ended.code, bench.target.calls()) == (2, [])
    assert "MUSTER_" in ended.stderr
    assert not ended.folder.exists()
