"""What a look says of a customer whose values the target has in another spelling than the row."""

from collections.abc import Collection, Mapping

from jobs import folded
from jobs.systems.row import Row

SPELLING = "spelling"
"""The fact that holds these warnings, `code:column` joined by `;`."""

CODE = "written_differently"


def spelt(
    row: Row,
    shown: Mapping[str, str | None],
    facts: Mapping[str, str] | None = None,
    *,
    also: Collection[str] = (),
) -> dict[str, str]:
    """The fact for what is one value in two spellings, by column of `shown`; empty: nothing is.

    `external_unique_id` stands for the row's key. `facts`: what steps before found, and is kept. `also`: columns
    that are known to be written differently.
    """
    ours = {**row.values, "external_unique_id": row.key}
    differing = [column for column, theirs in shown.items() if folded.differs(column, ours.get(column), theirs)]
    found = [f"{CODE}:{column}" for column in (*also, *differing)]
    before = (facts or {}).get(SPELLING)
    return {SPELLING: ";".join(dict.fromkeys([*(before.split(";") if before else ()), *found]))} if found else {}
