"""One code with what it means and what to do."""

from jobs.value import value


@value
class Code:
    """`name` as files and programs have it. `of`: the outcome that a reason code belongs to; else empty."""

    name: str
    meaning: str
    action: str
    of: str = ""
