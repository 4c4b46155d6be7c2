"""Nothing is handed over in a bag, and nobody counts arguments: what belongs together has a name."""

import ast
from collections.abc import Iterator

from tests.house.sources import ROOT, files, nodes

MOST_POSITIONAL = 6
"""Parameters that may be given by place, and arguments that are (the run's own context had 14)."""
MOST_PARAMETERS = 10
"""Parameters in all, most of them by name only."""
MOST_FIELDS = 10
"""Fields of what a run, or an operation, is given or holds (the run's own context had 15)."""

BAGS = ("jobs/run/", "jobs/operations/", "jobs/publishing/", "jobs/reconciliation/", "jobs/evidence/")
"""Rooms of the classes that are handed from stage to stage. Rows and documents have as many fields as their files."""

ANY_NUMBER = frozenset({"Table", "select", "str", "print", "zip", "map", "partial", "options"})
"""Calls that take as many arguments of one kind as there are."""


def everything() -> Iterator[tuple[str, ast.AST]]:
    """Every node of the program, with its file; the sandbox is no part of the house."""
    for path in files():
        if "sandbox" not in path.parts:
            for node in nodes(path):
                yield str(path.relative_to(ROOT)), node


def test_a_parameter_list_is_short() -> None:
    long = []
    for name, node in everything():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            placed = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg not in {"self", "cls"}]
            if len(placed) > MOST_POSITIONAL or len(placed) + len(node.args.kwonlyargs) > MOST_PARAMETERS:
                long.append(f"{name}:{node.lineno} {node.name}")

    assert long == []


def test_nobody_counts_arguments() -> None:
    long = [
        f"{name}:{node.lineno} {node.func.id}"
        for name, node in everything()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in ANY_NUMBER
        if len(node.args) > MOST_POSITIONAL
    ]

    assert long == []


def test_what_is_handed_from_stage_to_stage_is_no_bag() -> None:
    large = []
    for name, node in everything():
        if isinstance(node, ast.ClassDef) and name.startswith(BAGS):
            fields = sum(isinstance(each, ast.AnnAssign) for each in node.body)
            if fields > MOST_FIELDS:
                large.append(f"{name}:{node.lineno} {node.name}: {fields}")

    assert large == []
