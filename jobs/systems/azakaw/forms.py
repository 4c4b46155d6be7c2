"""The two kinds of customer that Azakaw has, and the onboarding form of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from jobs.systems.azakaw.submissions import Submission, Submissions, read_submissions
from jobs.systems.row import Row
from jobs.systems.shared_list import Index

INDIVIDUAL, LEGAL = "individual", "legal"
USER_TYPES = {INDIVIDUAL: "IndividualCustomer", LEGAL: "LegalCustomer"}


def kind_of(row: Row) -> str:
    """The row's kind of customer."""
    return row.get("customer_kind") or INDIVIDUAL


@dataclass(frozen=True, slots=True)
class Forms:
    """The onboarding form of each kind of customer, and the index of each form."""

    by_kind: Mapping[str, str]
    indexes: Mapping[str, Index[Submissions]]
    """By form; a form that both kinds share is read once."""
    _former: dict[str, Index[Submissions]] = field(default_factory=dict)
    """Of forms that the settings named when something was sent."""

    @classmethod
    def of(cls, by_kind: Mapping[str, str]) -> "Forms":
        """Each form with an index of its own."""
        return cls(by_kind, {form: index_of(form) for form in set(by_kind.values())})

    def on(self, form: str) -> Index[Submissions]:
        """The index of one form, which the settings need not name any more."""
        return self.indexes.get(form) or self._former.setdefault(form, index_of(form))

    def of_row(self, row: Row, facts: Mapping[str, str]) -> list[Index[Submissions]]:
        """The index of the form that the row's customer is on: as `facts` say, else of its kind, else all."""
        if form := facts.get("form_id"):
            return [self.on(form)]
        return [self.on(self.by_kind[kind_of(row)])] if row.get("customer_kind") else list(self.indexes.values())

    def shown(self, submission_id: str) -> Submission | None:
        """The submission with that id in the newest readings of all forms; reads nothing."""
        contents = [index.latest for index in (*self.indexes.values(), *self._former.values())]
        return next((found for each in contents if each and (found := each.get(submission_id))), None)


def index_of(form: str) -> Index[Submissions]:
    """Reads all of `form`."""
    return Index(partial(read_submissions, form=form))
