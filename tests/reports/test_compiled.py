"""Templates are made into code once, kept beside Python's own, and made anew when anything of them changed."""

import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from jobs.reports import compiled
from jobs.reports.compiled import Compiled


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were compiled."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    found, usual = list[str](), Environment._parse

    def noted(self: Environment, source: str, *more: str | None) -> object:
        found.append(source)
        return usual(self, source, *more)

    monkeypatch.setattr(Environment, "_parse", noted)
    return found


def page(folder: Path, text: str, how: str = "as it is") -> str:
    """`text` with the number 7, by an environment that has just begun."""
    environment = Environment(loader=DictLoader({"page": text}), autoescape=True, bytecode_cache=Compiled(folder, how))
    return environment.get_template("page").render(number=7)


def test_a_template_is_compiled_once_for_all_runs_until_it_changes_or_what_it_is_made_with(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "__pycache__").mkdir()

    assert [page(tmp_path, "a {{ number }}") for _ in range(3)] == ["a 7"] * 3
    assert page(tmp_path, "b {{ number }}") == "b 7"
    assert page(tmp_path, "b {{ number }}", "otherwise") == "b 7"
    monkeypatch.setattr(compiled.jinja2, "__version__", "99")
    assert page(tmp_path, "b {{ number }}", "otherwise") == "b 7"

    assert made == ["a {{ number }}", *["b {{ number }}"] * 3]


def test_where_nothing_can_be_kept_or_what_is_there_is_no_code_it_is_compiled(tmp_path: Path, made: list[str]) -> None:
    assert [page(tmp_path, "a {{ number }}") for _ in range(2)] == ["a 7"] * 2  # there is no folder for it
    assert len(made) == 2

    (tmp_path / "__pycache__").mkdir()
    assert page(tmp_path, "a {{ number }}") == "a 7"
    (kept,) = (tmp_path / "__pycache__").iterdir()
    kept.write_bytes(b"what somebody left there")
    assert page(tmp_path, "a {{ number }}") == "a 7"
    assert len(made) == 4


def test_nothing_is_kept_where_python_keeps_nothing(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "__pycache__").mkdir()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    assert [page(tmp_path, "a {{ number }}") for _ in range(2)] == ["a 7"] * 2

    assert (len(made), list((tmp_path / "__pycache__").iterdir())) == (2, [])
