"""The input columns of BankLingo's decisions, after the vendor's pages of the single commands; one model for each."""

from dataclasses import replace

import polars as pl

from schemas.banklingo import BANKLINGO
from schemas.column import Column, InputModel, Rule

CHANGEABLE = ("first_name", "middle_name", "last_name", "email", "phone", "address", "city", "state", "country")
"""What UpdateContactCommand changes."""

REASONED = ("reject", "blacklist", "undo-blacklist")
"""Commands whose reason is mandatory."""

OWN: tuple[Column, ...] = (
    Column(
        "contact_encoded_key",
        "contactEncodedKey",
        ("contactEncodedKey", "customer_id"),
        required=True,
        personal=False,
        description="The bank's key of the client, as in outcome.csv.",
        kind="code",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        example="0f3c2b1a9d8e47f6a5b4c3d2e1f00918",
    ),
    Column(
        "id",
        "id",
        (),
        required=False,
        personal=False,
        description="The number by which the client's record is read; taken from the ledger when absent.",
        kind="code",
        pattern=r"^[1-9][0-9]{0,17}$",
        example="10042",
    ),
    Column(
        "reason",
        "reason",
        ("rejectionReason",),
        required=False,
        personal=False,
        description="Why; mandatory for reject, blacklist and undo-blacklist. It is sent as it is.",
        longest=500,
        example="Documents expired",
    ),
    Column(
        "notes",
        "notes",
        ("approvalNotes", "rejectionNotes"),
        required=False,
        personal=False,
        description="Notes for the bank's staff, sent as they are.",
        longest=2000,
        example="Checked by branch 7",
    ),
)

UNSENT = "Not sent."


def _optional(column: Column, *, sent: bool) -> Column:
    """`column` as an update takes it; where it is not sent, it is only there for masks and duplicates."""
    return replace(
        column,
        required=False,
        api=column.api if sent else None,
        description=f"{column.description} Only for update." if sent else UNSENT,
    )


KEYS = tuple(replace(column, description=column.description) for column in BANKLINGO[:2])
UPDATED = tuple(_optional(column, sent=True) for column in BANKLINGO if column.name in CHANGEABLE)
IDENTITY = tuple(_optional(column, sent=False) for column in BANKLINGO if column.name == "national_id")

INPUT = InputModel(
    (*KEYS, *OWN, *UPDATED, *IDENTITY),
    seeds=("row_ref+contact_encoded_key", "contact_encoded_key"),
    distinct=("external_unique_id", "contact_encoded_key"),
)
"""What all commands share. A second decision of the same kind about one client needs a `row_ref` of its own."""


def _given(name: str) -> pl.Expr:
    return pl.col(name).is_not_null()


REASON = Rule("missing:reason", _given("reason"))
CHANGE = Rule("missing:first_name", pl.any_horizontal(_given(name) for name in CHANGEABLE))
"""An update of nothing: the first of the columns that could change stands for all."""

INPUTS = {command: replace(INPUT, rules=(REASON,)) for command in REASONED} | {
    "approve": INPUT,
    "request-approval": INPUT,
    "update": replace(INPUT, rules=(CHANGE,)),
}
"""By command."""
