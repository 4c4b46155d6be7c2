"""docs/coverage/: each sentence of a vendor's document is offered or refused, and a test shows it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import pytest

from jobs.cli import cli
from jobs.model import MatchClass
from jobs.systems import JOBS, SYSTEMS, adapter
from schemas.columns import columns_of, models
from schemas.outcome import OUTCOME
from schemas.reconciliation import RECONCILIATION

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "coverage.md"

HEAD = "| sentence | what muster does | shown by |"
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
QUOTED = re.compile(r"`([^`]+)`")
CALL = re.compile(r"(?:GET|HEAD|POST|PUT|DELETE) \S+|[A-Z]\w+(?:Command|Query)")
"""What a vendor's own operation looks like: it is quoted, and not looked up."""


@dataclass(frozen=True)
class Line:
    """One line of a table."""

    page: str
    sentence: str
    answer: str
    shown: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        """The tests that it names: file and function."""
        return NAMED_TEST.findall(self.shown)


def lines(page: str) -> list[Line]:
    """The lines of every table of a page."""
    found = []
    for text in (ROOT / "docs" / "coverage" / f"{page}.md").read_text(encoding="utf-8").splitlines():
        if text.startswith("|") and text != HEAD and not text.startswith("|---"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", text)[1:-1]]
            assert len(cells) == 3, f"{page}: not three cells: {text}"
            found.append(Line(page, *cells))
    return found


@cache
def functions(file: str) -> frozenset[str]:
    """The tests of a file; none where there is no such file."""
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def offered(page: str) -> Iterator[str]:
    """The words by which a page may name what the program has: commands, options, columns, keys, outcomes, reasons."""
    for name, command in cli.commands.items():
        yield f"muster {name}"
        for deeper in getattr(command, "commands", {}):
            yield f"muster {name} {deeper}"
        for each in [command, *getattr(command, "commands", {}).values()]:
            yield from (option for parameter in each.params for option in parameter.opts)
    for model in (name for name in models() if name.split(":")[0] == page):
        yield from (column.name for column in columns_of(model))
    for each in (page, *(job for job in JOBS if job.split(":")[0] == page)):
        yield from (f"[{page}] {field.name}" for field in fields(adapter(each).SETTINGS))
        yield from adapter(each).CAPABILITIES.steps
    yield from (*OUTCOME, *RECONCILIATION, *MatchClass)
    yield from re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "fate-of-a-row.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", SYSTEMS)
def test_a_line_names_a_sentence_an_answer_and_a_test_that_is_there(page: str) -> None:
    told = lines(page)

    assert told
    assert [line.sentence for line in told if not (line.sentence and line.answer and line.tests)] == []
    assert [f"{file}::{name}" for line in told for file, name in line.tests if name not in functions(file)] == []
    assert [line.shown for line in told if set(line.shown) - set(" ,") and not line.tests] == []


@pytest.mark.parametrize("page", SYSTEMS)
def test_a_sentence_stands_there_once(page: str) -> None:
    sentences = [line.sentence for line in lines(page)]

    assert sorted({each for each in sentences if sentences.count(each) > 1}) == []


@pytest.mark.parametrize("page", SYSTEMS)
def test_what_an_answer_quotes_is_in_the_program(page: str) -> None:
    """A command with its options, a column, `[system] key`, an outcome, a reason code or a call of the vendor's."""
    known = set(offered(page))
    lost = []
    for line in lines(page):
        quoted = [each for each in QUOTED.findall(line.answer) if not CALL.fullmatch(each)]
        words = [each for text in quoted for each in _parts(text)]
        lost += [f"{line.sentence}: {each}" for each in words if each not in known]
        if not quoted and "refused:" not in line.answer:
            lost.append(f"{line.sentence}: names nothing of the program")

    assert lost == []


def _parts(text: str) -> list[str]:
    """`muster run --rate` is a command and an option; values behind an option are its own."""
    if not text.startswith("muster "):
        return [text.split()[0]] if text.startswith("--") else [text]
    words = text.split()
    deeper = words[2:3] if f"muster {' '.join(words[1:3])}" in _groups() else []
    return [" ".join([*words[:2], *deeper]), *(word for word in words[2:] if word.startswith("--"))]


@cache
def _groups() -> frozenset[str]:
    return frozenset(
        f"muster {name} {deeper}" for name, group in cli.commands.items() for deeper in getattr(group, "commands", {})
    )


def test_the_index_leads_to_every_page() -> None:
    text = INDEX.read_text(encoding="utf-8")

    assert [name for name in SYSTEMS if f"(coverage/{name}.md)" not in text] == []
    assert sorted(path.stem for path in (ROOT / "docs" / "coverage").glob("*.md")) == sorted(SYSTEMS)
