"""The program's own text and syntax, read once a process."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def files(*folders: str) -> tuple[Path, ...]:
    """The Python files of these folders of the repository, or of the program (`jobs` and `schemas`)."""
    return tuple(path for folder in folders or ("jobs", "schemas") for path in (ROOT / folder).rglob("*.py"))


@cache
def text(path: Path) -> str:
    """What a file says."""
    return path.read_text(encoding="utf-8")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file's syntax tree, which comes first."""
    return tuple(ast.walk(ast.parse(text(path))))


@cache
def imported(path: Path) -> frozenset[str]:
    """All modules that a file names in an import, wherever it stands."""
    names: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)
