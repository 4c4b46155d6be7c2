"""What a vendor is called, and what it calls things, is the business of its own rooms: shared rooms know the contract.

Sentences for people (docstrings, which are also the help with its examples) may name a system; code may not.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from jobs.systems import SYSTEMS
from tests.house.sources import nodes
from tests.house.test_imports import modules, within

EXCEPTIONS = {
    "jobs.systems": "the registry of systems",
    "jobs.operations.new_system": "the lists of systems, each of which gets one more line",
    "jobs.cli": "the purpose of two commands names the one system that has them",
    "jobs.settings.settings": "the help of two options names the one system that has them",
}
"""Shared modules in which a vendor may be named, with the reason."""

WORDS = {
    "jobs.reconciliation": {"PASSED", "FAILED", "ACTIVE", "Approved", "Rejected"},
    "jobs.publishing": {"PASSED", "FAILED", "ACTIVE", "customer", "kyc", "wallet", "walletId", "kycState"},
    "jobs.operations": {"PASSED", "FAILED", "ACTIVE", "kyc", "kycState", "complianceStatus", "externalUniqueId"},
    "jobs.engine": {"PASSED", "FAILED", "ACTIVE", "customer", "kyc", "wallet", "approval", "link"},
    "jobs.run": {"PASSED", "FAILED", "ACTIVE", "customer", "kyc", "wallet", "approval", "link"},
}
"""States, members and steps of the vendors, by the shared room in which one of them was used or would be wrong."""


@cache
def shared() -> list[tuple[str, Path]]:
    """The modules that stand in no vendor's room; the sandbox has rooms for its vendors."""
    rooms = tuple(f"{place}.{vendor}" for place in ("jobs.systems", "schemas") for vendor in SYSTEMS)
    return [(name, path) for name, path in modules() if not name.startswith((*rooms, "jobs.sandbox"))]


@cache
def strings(path: Path) -> tuple[str, ...]:
    """Every string of a module but its docstrings, also those of attributes."""
    sentences = {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}
    constants = (node for node in nodes(path) if isinstance(node, ast.Constant) and id(node) not in sentences)
    return tuple(node.value for node in constants if isinstance(node.value, str))


@cache
def names(path: Path) -> frozenset[str]:
    """Every identifier of a module."""
    fields = ("id", "attr", "arg", "name", "asname", "module")
    found = (getattr(node, field, None) for node in nodes(path) for field in fields)
    return frozenset(name for name in found if isinstance(name, str))


@pytest.mark.parametrize("vendor", SYSTEMS)
def test_no_shared_room_names_a_vendor(vendor: str) -> None:
    wrong = [
        f"{name}: {each[:60]!r}"
        for name, path in shared()
        if name not in EXCEPTIONS
        for each in (*strings(path), *names(path))
        if vendor in each.casefold()
    ]

    assert wrong == []


@pytest.mark.parametrize("room", WORDS)
def test_no_shared_room_uses_a_word_of_a_vendor(room: str) -> None:
    wrong = [
        f"{name}: {each!r}"
        for name, path in shared()
        if within(name, room)
        for each in strings(path)
        if each in WORDS[room]
    ]

    assert wrong == []


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_one_that_is_needed(name: str) -> None:
    (path,) = (path for found, path in shared() if found == name)

    assert any(vendor in each.casefold() for vendor in SYSTEMS for each in strings(path))
