"""The input columns of BankLingo's decisions, after the vendor's pages of the single commands; one model for each."""

from dataclasses import replace

import polars as pl

from schemas.banklingo import BANKLINGO, ENCODED_KEY
from schemas.column import Column, InputModel, Rule, given

CHANGEABLE = ("first_name", "middle_name", "last_name", "email", "phone", "address", "city", "state", "country")
"""What UpdateContactCommand changes."""

REASONED = ("reject", "blacklist", "undo-blacklist")
"""Commands whose reason is mandatory."""

OWN: tuple[Column, ...] = (
    given(
        "contact_encoded_key",
        "contactEncodedKey",
        "The bank's key of the client, as in outcome.csv.",
        "0f3c2b1a9d8e47f6a5b4c3d2e1f00918",
        "code",
        aliases=("contactEncodedKey", "customer_id"),
        required=True,
        personal=False,
        pattern=ENCODED_KEY,
    ),
    given(
        "id",
        "id",
        "The number by which the client's record is read; taken from the ledger when absent.",
        "10042",
        "code",
        personal=False,
        pattern=r"^[1-9][0-9]{0,17}$",
    ),
    given(
        "reason",
        "reason",
        "Why; mandatory for reject, blacklist and undo-blacklist. It is sent as it is.",
        "Documents expired",
        aliases=("rejectionReason",),
        personal=False,
        longest=500,
    ),
    given(
        "notes",
        "notes",
        "Notes for the bank's staff, sent as they are.",
        "Checked by branch 7",
        aliases=("approvalNotes", "rejectionNotes"),
        personal=False,
        longest=2000,
    ),
)

_CUSTOMER = {column.name: column for column in BANKLINGO}

KEYS = (_CUSTOMER["row_ref"], _CUSTOMER["external_unique_id"])
UPDATED = tuple(
    replace(column, required=False, description=f"{column.description} Only for update.")
    for column in BANKLINGO
    if column.name in CHANGEABLE
)
IDENTITY = _CUSTOMER["national_id"].at(None, required=False, description="Not sent.")
"""Only there for masks and duplicates."""

INPUT = InputModel(
    (*KEYS, *OWN, *UPDATED, IDENTITY),
    seeds=("row_ref+contact_encoded_key", "contact_encoded_key"),
    distinct=("external_unique_id", "contact_encoded_key"),
)
"""What all commands share. A second decision of the same kind about one client needs a `row_ref` of its own."""


def _is_given(name: str) -> pl.Expr:
    return pl.col(name).is_not_null()


REASON = Rule("missing:reason", _is_given("reason"))
CHANGE = Rule("missing:first_name", pl.any_horizontal(_is_given(name) for name in CHANGEABLE))
"""An update of nothing: the first of the columns that could change stands for all."""

INPUTS = {command: replace(INPUT, rules=(REASON,)) for command in REASONED} | {
    "approve": INPUT,
    "request-approval": INPUT,
    "exit": INPUT,
    "update": replace(INPUT, rules=(CHANGE,)),
}
"""By command."""
