"""The submissions of one Azakaw: storing, finding, changing, showing. No rules of the vendor."""

import hashlib
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.sandbox.clock import iso

STATES = ("New", "Onboarding", "ComplianceReview", "Approved", "Rejected", "OnboardingAfterRejection")
"""Azakaw, Forms and Submissions page: the names are exact."""


@dataclass(slots=True)
class Submission:
    """A customer on a form."""

    submission_id: str
    customer_id: str
    tenant: str
    user_type: str
    form: str
    email: str
    """As it was sent."""
    name: str
    created: float
    state: str = "New"
    hidden_reads: int = 0
    """How many lists do not show it yet."""
    mails: int = 0
    """Mails to the customer: the welcome, and one for each password."""

    @property
    def key(self) -> str:
        """What makes a customer the same: the e-mail without spaces around it, in small letters."""
        return self.email.strip().lower()


class Records:
    """All submissions of all tenants."""

    def __init__(self, ids: random.Random) -> None:
        self._ids = ids
        self._rows: dict[str, Submission] = {}
        self._index: dict[tuple[str, str, str], list[Submission]] = {}

    def add(self, tenant: str, user_type: str, form: str, email: str, name: str, now: float) -> Submission:
        """Stores a submission with new ids."""
        ids = (str(uuid.UUID(int=self._ids.getrandbits(128), version=4)) for _ in range(2))
        row = Submission(next(ids), next(ids), tenant, user_type, form, email, name, now)
        self._rows[row.submission_id] = row
        self._index.setdefault((tenant, form, row.key), []).append(row)
        return row

    def get(self, tenant: str, submission_id: object) -> Submission | None:
        """The tenant's submission with this id."""
        row = self._rows.get(str(submission_id).lower())
        return row if row is not None and row.tenant == tenant else None

    def find(self, tenant: str, form: str, email: str) -> Submission | None:
        """The first of the tenant on this form with this e-mail."""
        held = self._index.get((tenant, form, email.strip().lower()), [])
        return held[0] if held else None

    def on_form(self, tenant: str, form: str) -> list[Submission]:
        """All of the tenant on this form, oldest first."""
        return [row for row in self._rows.values() if row.tenant == tenant and row.form == form]

    def amend(self, submission_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes `kycState` and `customerEmail`, or deletes (`deleted`: true).

        KeyError: there is none, ValueError: no such state.
        """
        row = self._rows[submission_id]
        unknown = sorted(set(changes) - {"kycState", "customerEmail", "deleted"})
        if unknown:
            raise ValueError(f"{unknown[0]!r} can't be changed; kycState, customerEmail and deleted can")
        row.state = state(changes.get("kycState", row.state))
        self._index[(row.tenant, row.form, row.key)].remove(row)
        row.email = str(changes.get("customerEmail", row.email))
        self._index.setdefault((row.tenant, row.form, row.key), []).append(row)
        deleted = bool(changes.get("deleted", False))
        if deleted:
            del self._rows[submission_id]
            self._index[(row.tenant, row.form, row.key)].remove(row)
        return {"submissionId": submission_id, "deleted": deleted}

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids, states and hashes; no personal values."""
        rows = list(self._rows.values())
        return {
            "counts": {
                "customers": len(rows),
                "doubles": len(rows) - len({(row.tenant, row.form, row.key) for row in rows}),
                "mails": sum(row.mails for row in rows),
            },
            "customers": [_shown(row) for row in rows],
        }


def state(name: object) -> str:
    """`name` when it is a state; ValueError otherwise."""
    if name not in STATES:
        raise ValueError(f"kycState must be one of {', '.join(STATES)}")
    return str(name)


def listed(row: Submission) -> dict[str, str]:
    """A row of the list of submissions."""
    return {
        "submissionId": row.submission_id,
        "customerId": row.customer_id,
        "customerName": row.name,
        "submissionDate": iso(row.created)[:19] + "Z",
        "kycState": row.state,
        "email": row.email,
    }


def _shown(row: Submission) -> dict[str, Any]:
    return {
        "submissionId": row.submission_id,
        "customerId": row.customer_id,
        "tenantId": row.tenant,
        "userType": row.user_type,
        "formId": row.form,
        "kycState": row.state,
        "mails": row.mails,
        "email_sha256": hashlib.sha256(row.key.encode()).hexdigest(),
    }
