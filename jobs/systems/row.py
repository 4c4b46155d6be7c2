"""One accepted row, and what an adapter may know of it while it works on a step."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any

from jobs.value import value


@value
class Row:
    """One accepted row: its number, its key, and the normalised values by canonical column name."""

    source_row: int
    row_ref: str | None
    """For people; masked where it is the row's own identity number or phone."""
    key: str
    values: Mapping[str, str]
    """Personal; most are dropped (`only`) when the row is parked, because by then the customer exists."""
    phone_masked: str
    national_id_masked: str
    warnings: str | None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of secret columns: only ever sent, in no fingerprint, pseudonym, comparison or report."""
    former_key: str | None = None
    """The key that an earlier muster derived from the row, where the ledger does not know it: the target may."""

    personal_key: bool = False
    """Whether the key shows a number or an address of a person, or was derived from one: it is only ever sent."""

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that the row's customer may carry at the target, its own first."""
        return (self.key,) if self.former_key is None else (self.key, self.former_key)

    def only(self, columns: frozenset[str]) -> "Row":
        """The row with the values of `columns` alone: what a parked row still needs, and nothing personal."""
        kept, secret = (
            {name: value for name, value in mapping.items() if name in columns}
            for mapping in (self.values, self.secrets)
        )
        return replace(self, values=kept, secrets=secret)

    def get(self, column: str) -> str | None:
        """The value of `column`, None when the row has none."""
        return self.values.get(column)


@value
class Doubt:
    """An unanswered write of ours for one step: since when, and how often it was sent."""

    since: datetime
    sent: int


@value
class View:
    """What a look may know of a row: its values, the facts so far, our unanswered write, and the last refusal.

    `taken` is set when the target has just said that it exists already. `fresh_customer` is set when the
    customer was made by a request of ours in this very run, so that nothing can hang on it yet.
    """

    row: Row
    facts: Mapping[str, str]
    doubt: Doubt | None = None
    taken: bool = False
    fresh_customer: bool = False
    unlisted: bool = False
    """Whether a listing of the last minutes shows nobody who has anything of the row's (`System.marks`).

    Said of rows alone for which no write was begun, in no run: a look may then find nobody without asking.
    """
    attempts: int = 0
    """How often the step's write was begun, in all runs: more than once says that it was repeated."""
    said: str = ""
    """Why the last attempt of this run settled nothing; empty: there was none."""
    bound: Mapping[str, str] = field(default_factory=dict)
    """The facts that the unanswered write of this step was made of (`Absent.facts` of the look that decided on it).

    While there are any, a look searches for what these name, and a write repeats it: nothing is chosen afresh. Also
    when `doubt` is None: "exists already" was the answer, and the run that heard it ended before it could look.
    Empty: no write is open, it was made of nothing chosen, or an older muster sent it.
    """
    changed: bool = False
    """Whether the row's data are others than those that were sent under its key."""
    notes: dict[str, Any] = field(default_factory=dict, repr=False)
    """What the looks of this row noted for the next ones of the same run: its case holds it, and no step does.

    It is gone with the process, so that nothing which decides about a write may be in it alone.
    """
