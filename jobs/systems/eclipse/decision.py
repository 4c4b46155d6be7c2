"""Steps 2 and 3, KYC: triggered once, polled until decided, never restarted on PASSED, PENDING or FAILED."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from jobs.model import Outcome
from jobs.systems.eclipse import wire
from jobs.systems.exchange import CallClass, Reader, Reply, Request, Trace
from jobs.systems.offers import ASKED_AGAIN_AFTER, Newest
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Undecided, Verdict

RATIFY_DEADLINE_SECONDS = 90.0
"""The vendor says that ratify may take several seconds; at least 60 is advised, 90 chosen."""


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """Triggers KYC and reads the result. A repeated trigger is a second KYC: a lost one is sent again only once."""

    tenant_path: str
    kind: str | None = None
    """`type` of the verification; None: the target's own."""
    checks: tuple[str, ...] = ()
    """The checks to run; empty: the target's own set."""
    name: str = "kyc"
    resends: int | None = 1
    settle_seconds: float | None = None

    async def look(self, reader: Reader, view: View) -> Finding:
        """The newest result, if any. None at all, or none since an operator asked again, is the licence to trigger."""
        customer_id = view.facts["customer_id"]
        results = await wire.read_records(reader, self.reading(customer_id))
        if results is None:  # 404: nothing about the customer, or no such customer
            profile = Request("get_customer", "GET", f"{self.tenant_path}/customers/{wire.segment(customer_id)}")
            if await wire.read_record(reader, profile) is None:
                return Unclear("customer_not_found", f"the target does not know customer {customer_id} any more")
        if not results or stale(newest(results), view.facts.get(ASKED_AGAIN_AFTER)):
            return Absent()
        return judged(newest(results), customer_id, Trace())

    async def newest(self, reader: Reader, customer_id: str) -> Newest:
        """The newest result, whoever asked for it. Raises ReadFailed, NotPermitted."""
        results = await wire.read_records(reader, self.reading(customer_id))
        result = newest(results) if results else {}
        return Newest(wire.text_of(result, "status"), wire.text_of(result, "lastModified"))

    def reading(self, customer_id: str) -> Request:
        """GET /customers/{id}/ratify, the newest result only."""
        return Request("read_kyc", "GET", self.path(customer_id), (("offset", "0"), ("limit", "1")))

    def write(self, view: View) -> Request:
        """POST /customers/{id}/ratify; an empty object asks for the target's default set of checks."""
        body = {"type": self.kind, "checksToRun": list(self.checks)}
        return Request(
            "trigger_kyc",
            "POST",
            self.path(view.facts["customer_id"]),
            body=orjson.dumps({name: value for name, value in body.items() if value}),
            call_class=CallClass.WRITE,
            deadline_seconds=RATIFY_DEADLINE_SECONDS,
        )

    def classify(self, reply: Reply, view: View) -> Verdict:
        """The reply is a result; one that can't be read is a doubt."""
        record = wire.answered(reply)
        if not isinstance(record, Mapping):
            return record
        if wire.text_of(record, "status") is None:
            return wire.doubtful(reply, "it has no status")
        verdict = judged(record, view.facts["customer_id"], wire.trace_of(reply))
        return wire.doubtful(reply, verdict.reason) if isinstance(verdict, Unclear) else verdict

    def path(self, customer_id: str) -> str:
        """The one path of triggering and reading."""
        return f"{self.tenant_path}/customers/{wire.segment(customer_id)}/ratify"


def stale(result: Mapping[str, Any], after: str | None) -> bool:
    """Whether the result is the one that was there before an operator asked again; `after` is its time."""
    if after is None:
        return False
    shown, before = wire.moment_of(result.get("lastModified")), wire.moment_of(after)
    return shown is None or before is None or shown <= before


def newest(results: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The vendor lists the newest first; a server that doesn't is corrected by `lastModified`."""
    return max(results, key=lambda result: wire.text_of(result, "lastModified") or "")


def judged(result: Mapping[str, Any], customer_id: str, trace: Trace) -> Done | Undecided | Ended | Unclear:
    """What one result means: the top-level `status` alone decides, checks are for the report.

    Only the exact word PASSED passes. A status that the vendor does not document is no decision.
    """
    about = wire.identifier(result.get("customerId"))
    if about is not None and about != customer_id:
        return Unclear("other_customer", f"the KYC result is for customer {about}, not for {customer_id}")
    status = wire.text_of(result, "status")
    facts = {"decision_status": (status or "none")[:40], "failed_checks": ";".join(failed_checks(result))}
    if status == "PASSED":
        return Done(facts, trace)
    if status == "FAILED":
        reason = f"KYC failed: {facts['failed_checks'] or 'no check named'}"
        return Ended(Outcome.DECLINED, "kyc_failed", reason, facts, trace)
    return Undecided(facts, trace)


def failed_checks(result: Mapping[str, Any]) -> list[str]:
    """Names of the checks that are not passed, in both shapes that the vendor shows, sorted."""
    return sorted(name[:60] for name, check in result.items() if isinstance(check, dict) and is_bad(check))


def is_bad(check: Mapping[str, Any]) -> bool:
    """`{"result": "FAILED"}` or `{"checked": true, "passed": false}`; a pending check is not bad."""
    if "result" in check:
        return check["result"] not in {"PASSED", "PENDING"}
    return check.get("checked") is True and check.get("passed") is not True and check.get("pending") is not True
