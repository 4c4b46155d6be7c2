"""The two kinds of customer that Azakaw has, and the onboarding form of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.systems.azakaw.submissions import Submissions
from jobs.systems.index import Index
from jobs.systems.row import Row

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

    def index(self, row: Row) -> Index[Submissions]:
        """The index of the row's form."""
        return self.indexes[self.by_kind[kind_of(row)]]

    def of(self, row: Row) -> list[Index[Submissions]]:
        """The same, and all where it is not known of what kind the row is."""
        return [self.index(row)] if row.get("customer_kind") else list(self.indexes.values())
