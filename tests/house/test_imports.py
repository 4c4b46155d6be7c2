"""The direction of dependencies: who may know whom. The tree is the table of contents only while this holds."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ONLY_IN = {
    "click": ("jobs.cli", "jobs.commands", "jobs.__main__"),
    "httpx": ("jobs.transport.sender", "jobs.transport.line"),
    "h11": ("jobs.transport.line",),
    "tenacity": (
        "jobs.transport.retry",
        "jobs.transport.client",
        "jobs.engine.onboard",
        "jobs.ledger.turn",
        "jobs.ledger.files",
    ),
    "sqlite3": ("jobs.ledger.sqlite", "jobs.ledger.turn", "jobs.ledger.files"),
    "sqlalchemy": ("jobs.ledger",),
    "pandera": ("schemas", "jobs.intake"),
    "phonenumbers": ("jobs.intake.phones",),
    "starlette": ("jobs.sandbox",),
    "uvicorn": ("jobs.sandbox",),
    "rich": ("jobs.progress",),
    "jinja2": ("jobs.reports",),
    "cryptography": ("jobs.reports.signature", "jobs.pki"),
}
"""An edge of the program and the modules that may touch it."""

NEVER = [
    ("schemas", "jobs"),
    ("jobs.systems", "jobs.ledger"),
    ("jobs.systems", "jobs.engine"),
    ("jobs.systems", "jobs.transport.sender"),
    ("jobs.ledger", "jobs.systems.eclipse"),
    ("jobs.ledger", "jobs.transport"),
    ("jobs.ledger", "jobs.engine"),
    ("jobs.intake", "jobs.ledger"),
    ("jobs.intake", "jobs.systems"),
    ("jobs.intake", "jobs.transport"),
    ("jobs.reports", "jobs.ledger"),
    ("jobs.reports", "jobs.systems"),
    ("jobs.reports", "jobs.transport"),
    ("jobs.transport", "jobs.engine"),
    ("jobs.transport", "jobs.reconciliation"),
    ("jobs.transport", "jobs.systems.eclipse"),
    ("jobs.engine", "jobs.systems.eclipse"),
    ("jobs.engine", "jobs.reconciliation"),
    ("jobs.engine", "jobs.flow"),
    ("jobs.reconciliation", "jobs.transport.sender"),
    ("jobs.reconciliation", "jobs.flow"),
]
"""(who, whom): never at import time, nor inside a function."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the program with its syntax tree."""
    for folder in ("jobs", "schemas"):
        for path in (ROOT / folder).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """All modules that a module names in an import, wherever it stands."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize(("library", "allowed"), ONLY_IN.items())
def test_a_library_is_touched_at_its_edge_only(library: str, allowed: tuple[str, ...]) -> None:
    users = {name for name, tree in modules() if any(within(found, library) for found in imported(tree))}

    assert users
    assert sorted(name for name in users if not any(within(name, place) for place in allowed)) == []


@pytest.mark.parametrize(("who", "whom"), NEVER)
def test_dependencies_point_one_way(who: str, whom: str) -> None:
    wrong = [
        name for name, tree in modules() if within(name, who) and any(within(found, whom) for found in imported(tree))
    ]

    assert wrong == []


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }

    assert "jobs.config" in readers
    assert readers <= {"jobs.config", "jobs.intake.judge"}


def test_the_sandbox_knows_nothing_of_muster() -> None:
    wrong = [
        f"{name} imports {found}"
        for name, tree in modules()
        if within(name, "jobs.sandbox")
        for found in imported(tree)
        if within(found, "jobs") and not within(found, "jobs.sandbox")
    ]

    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    code = (
        "import importlib, pkgutil, jobs\n"
        "for module in pkgutil.walk_packages(jobs.__path__, 'jobs.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_time_and_chance_enter_through_the_clock() -> None:
    """The engine must be able to run in a simulation: no clock, no randomness, no thread of its own."""
    wrong = []
    for name, tree in modules():
        if name == "jobs.transport.retry":  # it names the type of the source that it is given
            continue
        if any(within(name, package) for package in ("jobs.engine", "jobs.transport", "jobs.systems")):
            wrong += [
                f"{name} imports {found}"
                for found in imported(tree)
                if found in {"time", "random", "threading", "uuid"}
            ]

    assert wrong == []
