"""One file that ends in all eleven outcomes, with faults on the way."""

from typing import Any

from jobs.sandbox.server import Sandbox

from .muster import Ended, Muster
from .people import Row, people, person, record, written

ROWS: list[tuple[Row, str]] = [
    (person(1), "already_onboarded"),
    (person(2), "onboarded"),
    (person(3, "Kycslow"), "onboarded"),
    (person(4, "Kycfail"), "declined"),
    (person(5, "Kycstuck"), "pending"),
    (person(6, "Nowallet"), "not_eligible"),
    (person(7, "Refused"), "rejected"),
    (person(8), "conflict"),
    (person(9, phone="+27 82 400 00"), "quarantined"),
    (person(10, email="no.at.sign.example.com"), "quarantined"),
    (person(11, "Failing"), "failed"),
    (person(12, "Doubtful"), "in_doubt"),
    (person(13, "Lost"), "onboarded"),
    (person(14, phone="0824000014", national_id="6001145000087", note="call 082 400 0014"), "onboarded"),
    (person(15), "not_attempted"),
    (person(16), "not_attempted"),
]

FAULTS: list[dict[str, Any]] = [
    {"operation": "create_wallet", "match": {"lastName": "Failing"}, "kind": "status", "params": {"status": 500}},
    {"operation": "trigger_kyc", "match": {"lastName": "Doubtful"}, "kind": "drop_before_commit"},
    {"operation": "create_customer", "match": {"lastName": "Lost"}, "nth": 1, "kind": "drop_after_commit"},
]
"""Needs `hasty`."""

LIMIT = 12
"""Accepted rows beyond the first, which the ledger knows, and before the two that are not attempted."""


def every_outcome(muster: Muster, sandbox: Sandbox, *options: str) -> Ended:
    """A first run with one row, and then the whole file."""
    sandbox.plant(**record(person(8), externalUniqueId="cust-of-another"))
    muster("run", written(muster.folder / "yesterday.csv", people(1)))
    sandbox.faults(FAULTS)
    path = written(muster.folder / "customers.csv", [row for row, _ in ROWS])
    return muster("run", path, "--limit", str(LIMIT - 1), "--concurrency", "4", *options)
