"""One input column: its spellings, its field at the target, the shape of its values; and the columns of one input.

Which columns a system has is in its own file beside this one; whether a value fits is `schemas/customers.py`.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import polars as pl

Kind = Literal["name", "text", "phone", "email", "identity", "key", "reference", "date", "code", "file"]

REFUSAL: dict[Kind, str] = {
    "name": "name_invalid",
    "text": "value_invalid",
    "phone": "phone_invalid",
    "email": "email_invalid",
    "identity": "national_id_invalid",
    "key": "key_invalid",
    "reference": "key_invalid",
    "date": "date_invalid",
    "code": "value_invalid",
    "file": "value_invalid",
}
"""The reason code of a value whose shape is wrong, by kind of column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input column. One of kind `file` names a document by its path, and is called `..._file`.

    `api` is the field of the target's request (None: not in the customer's request). `pattern` is the shape of the
    normalised value, as Rust and JSON Schema write it (None: no more than its kind asks). `longest` is in characters
    (None: as long as a field may be). `advised` is (shortest, longest) in characters as only other vendor pages give
    it: outside is a warning, never a refusal.
    """

    name: str
    api: str | None
    aliases: tuple[str, ...]
    required: bool
    personal: bool
    description: str
    kind: Kind = "text"
    pattern: str | None = None
    longest: int | None = None
    advised: tuple[int, int] | None = None
    case: Literal["upper", "lower"] | None = None
    secret: bool = False
    """Only ever sent as it is: in no fingerprint, pseudonym, comparison or report."""
    example: str = ""
    gathers: str | None = None
    """The beginning of the headers whose values this column gathers: a JSON object of text by what follows it."""
    numbered: tuple["Column", ...] = ()
    """What each of the things has of which a row may have any number: headers are `gathers`, a number, `_` and a name.

    The object then has a member `N_name` for each value that is there. `required` is what each thing needs.
    """

    @property
    def refusal(self) -> str:
        """`code:column` of a value whose shape is wrong."""
        return f"{REFUSAL[self.kind]}:{self.name}"

    def at(self, api: str | None, *aliases: str, **changes: Any) -> Self:
        """This column as one system has it: its field there, its aliases (none given: the same), what else differs."""
        return replace(self, api=api, aliases=aliases or self.aliases, **changes)


def given(name: str, api: str | None, description: str, example: str = "", kind: Kind = "text", **more: Any) -> Column:
    """A column that may be given or left empty, and is personal, unless `more` says otherwise."""
    told: dict[str, Any] = {"aliases": (), "required": False, "personal": True} | more
    return Column(name, api, description=description, example=example, kind=kind, **told)


def numbered(text: str) -> list[tuple[int, str, str]]:
    """What a column with `numbered` holds: number, name and value, in the order of the numbers."""
    found = ((member.partition("_"), value) for member, value in json.loads(text).items())
    return sorted(((int(number), name, value) for (number, _, name), value in found), key=lambda each: each[0])


@dataclass(frozen=True, slots=True)
class Rule:
    """`good` is true for every row that keeps the rule, and never null. `code` is `code:column`."""

    code: str
    good: pl.Expr


@dataclass(frozen=True, slots=True)
class InputModel:
    """The rows that one system takes, or one of its jobs."""

    columns: tuple[Column, ...]
    """In the order of documents and of the accepted frame; those of ALWAYS are among them."""
    seeds: tuple[str, ...] = ("row_ref", "national_id")
    """What the key is derived from when it is not given: the first of these that a row has; `a+b` is both together."""
    distinct: tuple[str, ...] = ("external_unique_id", "phone", "national_id")
    """What no two rows of a file may share, in the order in which a duplicate is named."""
    needs: tuple[tuple[str, ...], ...] = ()
    """Of each of these groups a file must have at least one column, beside the required ones."""
    rules: tuple[Rule, ...] = ()
    """What is asked of several columns together, over the normalised frame; failing one quarantines the row."""
    held: pl.Expr | None = None
    """True, over the accepted rows, for those that may be sent only when the operator says so; None: there are none."""
