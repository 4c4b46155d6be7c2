"""The items of the battery, in the order in which the documents list them."""

from .faults import ALONE, ANSWERS, LOSSES

WHOSE: dict[str, str] = {
    "elsewhere": "the answer to the first write is about another row's customer, and the write not committed",
    "elsewhere after": "the same, and the write committed",
    "otherwise before": "the run is killed before its write is committed, and run again with other settings",
    "otherwise after": "the run is killed after its write is committed, and run again with other settings",
}
"""What a row may be told about somebody else, or be made of by then."""

ITEMS: dict[str, str] = {
    "happy": "a new row",
    "again": "the same file once more",
    "refused": "the target refuses the data",
    **{fault: f"the first write is answered with {fault}" for fault in [*ANSWERS, *ALONE]},
    **{fault: f"the answer to the first write is {fault}" for fault in LOSSES},
    "killed before": "the run is killed before its write is committed, and run again",
    "killed after": "the run is killed after its write is committed, and run again",
    **WHOSE,
    "limit": "limit of writes that is kept to with `--rate auto`",
    "decided": "a row that waits for a decision, once that was made well",
    "planned": "`muster plan` of a new row",
    "planned again": "`muster plan` after the run",
    "changed": "`muster reconcile` after the record was changed",
    "deleted": "`muster reconcile` after the record was deleted",
    "spelt": "a new row whose person the target has in another spelling",
    "respelt": "`muster reconcile` after the target spelt the row's values otherwise",
    "looked up": "`muster lookup`",
    "doctor": "`muster doctor`",
    "in full": "`muster lookup --full`",
    "where": "`muster lookup --where`",
    "exported": "`muster export`",
    "downloaded": "`muster download-profiles`",
    "employees": "`muster employees`",
    "told": "`muster webhook serve`",
}
"""The key in `Subject.ends`, and what the documents call it."""
