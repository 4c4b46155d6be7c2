"""When a listing of all the target's customers is the cheaper way of reading: its pages against the reads it spares."""

WORTH_SPARING = 40
"""Reads below which nothing is listed to spare them (chosen)."""

LEAST_PAGES = 4
"""Pages that a listing may have whenever it is worth one (chosen): a tenth of what it spares."""

LEAST_AT_ONCE = 4
"""What rows at a time count as at least (chosen): a listing that is given up costs a quarter of what it would spare."""


def pages_worth(reads: int, at_once: int) -> int:
    """How many pages a listing may have that spares `reads`, of which `at_once` would be made at a time; 0: none.

    Pages are read one after the other: so it costs fewer calls, and about the same time at most.
    """
    return max(LEAST_PAGES, reads // max(at_once, LEAST_AT_ONCE)) if reads >= WORTH_SPARING else 0
