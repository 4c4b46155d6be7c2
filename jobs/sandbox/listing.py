"""The order of a target's lists, which no vendor promises: as things came, the other way round, another each time."""

import random
from collections.abc import Iterable
from typing import TypeVar

Listed = TypeVar("Listed")

ORDERS = ("oldest", "newest", "shuffled")
"""`oldest` comes first unless a test wants it otherwise."""

PRIME = 999_999_937
STRIDE = 387_420_489
"""Any two numbers below PRIME without a common divisor would do (chosen)."""


def in_order(rows: Iterable[Listed], order: str, chance: random.Random) -> list[Listed]:
    """`rows`, which are given oldest first, in one of ORDERS."""
    found = list(rows)
    if order == "shuffled":
        chance.shuffle(found)
    return found[::-1] if order == "newest" else found


def rank(serial: int, order: str) -> int:
    """The place of number `serial` in one of ORDERS, the same each time: for lists that are read on behind a cursor."""
    return {"oldest": serial, "newest": PRIME - serial}.get(order, serial * STRIDE % PRIME)
