"""One code with what it means and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """`name` as files and programs have it. `of`: the outcome that a reason code belongs to; else empty."""

    name: str
    meaning: str
    action: str
    of: str = ""
