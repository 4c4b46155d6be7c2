"""Nothing is handed over in a bag, and nobody counts arguments: what belongs together has a name."""

import ast

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


def too_long(node: ast.AST) -> str | None:
    """What of a node has too many parts, and how it is called; None: nothing."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            placed = [each.arg for each in (*node.args.posonlyargs, *node.args.args) if each.arg not in {"self", "cls"}]
            long = len(placed) > MOST_POSITIONAL or len(placed) + len(node.args.kwonlyargs) > MOST_PARAMETERS
            return f"parameters of {node.name}" if long else None
        case ast.Call(func=ast.Name(name)):
            return f"arguments of {name}" if name not in ANY_NUMBER and len(node.args) > MOST_POSITIONAL else None
    return None


def test_parameter_lists_are_short_nobody_counts_arguments_and_nothing_is_handed_on_in_a_bag() -> None:
    long = []
    for path in files():
        name = str(path.relative_to(ROOT))
        if "sandbox" in path.parts:  # no part of the house
            continue
        for node in nodes(path):
            what = too_long(node)
            if isinstance(node, ast.ClassDef) and name.startswith(BAGS):
                fields = sum(isinstance(each, ast.AnnAssign) for each in node.body)
                what = f"{fields} fields of {node.name}" if fields > MOST_FIELDS else None
            if what:
                long.append(f"{name}: {what}")

    assert long == []
