"""Steps 2 and 3, KYC: triggered once, polled until decided, never restarted on PASSED, PENDING or FAILED."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from jobs.model import Outcome
from jobs.privacy import masking
from jobs.systems.contract import CLOCK_SKEW
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import CallClass, Reader, ReadFailed, Reply, Request, Trace
from jobs.systems.optional import ASKED_AGAIN_AFTER, Newest
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Done, Ended, Finding, Unclear, Undecided, Verdict

RATIFY_DEADLINE_SECONDS = 90.0
"""The vendor says that ratify may take several seconds; at least 60 is advised, 90 chosen."""

ASKED = "kyc_asked"
"""The fact that holds the body of the trigger: kind and checks are settings, which may differ by the next run."""


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
        """The newest result, if any. None at all, or none since an operator asked again, is the licence to trigger.

        Of a customer that this run made, and that no trigger was begun for, there is none to be read.
        """
        if view.fresh_customer and not view.attempts and ASKED_AGAIN_AFTER not in view.facts:
            return Absent({ASKED: self.asked(view)})
        customer_id = view.facts["customer_id"]
        results = await shown.results(reader, self.tenant_path, customer_id)
        if results is None and await shown.profile(reader, self.tenant_path, customer_id) is None:
            return Unclear("customer_not_found", f"the target does not know customer {customer_id} any more")
        asked_before = view.facts.get(ASKED_AGAIN_AFTER)
        since = [result for result in results or () if not stale(result, asked_before)]
        if not since:
            return Absent({ASKED: self.asked(view)})
        result = newest(since)
        verdict = judged(result, customer_id, Trace())
        if isinstance(verdict, Ended) and explained(result, view):
            return replace(verdict, proves=True)
        return verdict

    async def newest(self, reader: Reader, customer_id: str) -> Newest:
        """The newest result, whoever asked for it. Raises ReadFailed, NotPermitted."""
        results = await shown.results(reader, self.tenant_path, customer_id)
        if not results:
            return Newest(None, None)
        result = newest(results)
        return Newest(status_of(result), wire.text_of(result, "lastModified"))

    def asked(self, view: View) -> str:
        """The body of the trigger: that of the open one while there is one; `{}` asks for the target's default set."""
        body = {"type": self.kind, "checksToRun": list(self.checks)}
        return view.bound.get(ASKED) or orjson.dumps({name: value for name, value in body.items() if value}).decode()

    def write(self, view: View) -> Request:
        """POST /customers/{id}/ratify. It carries no key."""
        return Request(
            "trigger_kyc",
            "POST",
            shown.path_of(self.tenant_path, view.facts["customer_id"], "ratify"),
            body=self.asked(view).encode(),
            call_class=CallClass.WRITE,
            deadline_seconds=RATIFY_DEADLINE_SECONDS,
        )

    def classify(self, reply: Reply, view: View) -> Verdict:
        """The reply is a result; one that can't be read, or is about another customer, is a doubt."""
        return DIALECT.judged(reply, partial(self.decided, customer_id=view.facts["customer_id"]))

    def decided(self, record: Mapping[str, Any], customer_id: str) -> Done | Undecided | Ended:
        """What the result that was triggered means. Raises Unreadable."""
        if record.get("status") is None:
            raise wire.Unreadable("it has no status")
        try:
            verdict = judged(record, customer_id, Trace())
        except ReadFailed as error:
            raise wire.Unreadable(error.reason) from None
        return replace(verdict, proves=True) if isinstance(verdict, Ended) else verdict


def explained(result: Mapping[str, Any], view: View) -> bool:
    """Whether only our unanswered trigger can have caused the result: we sent one, when there was none as new.

    After a second sending, a result may be the first one's, and the second still on its way.
    """
    at = wire.moment_of(result.get("lastModified"))
    if view.doubt is None or view.attempts > 1 or at is None:
        return False
    return at >= view.doubt.since - CLOCK_SKEW


def stale(result: Mapping[str, Any], after: str | None) -> bool:
    """Whether the result is one that was there before an operator asked again; `after` is the newest's time then."""
    if after is None:
        return False
    shown_at, before = wire.moment_of(result.get("lastModified")), wire.moment_of(after)
    return shown_at is None or before is None or shown_at <= before


def newest(results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The newest of at least one result by `lastModified`, in whatever order they came.

    Raises ReadFailed when the times leave it open which that is, and those in question say different things.
    """
    dated = [(wire.moment_of(result.get("lastModified")), result) for result in results]
    last = max((at for at, _ in dated if at is not None), default=None)
    candidates = [result for at, result in dated if at is None or at == last]
    if len({status_of(result) for result in candidates}) > 1:
        raise ReadFailed(f"read_kyc: which of {len(results)} results is the newest can't be told")
    return candidates[0]


def status_of(result: Mapping[str, Any]) -> str | None:
    """The top-level `status`; None where there is none. Raises ReadFailed for one that is no text."""
    status = result.get("status")
    if status is not None and (not isinstance(status, str) or not status):
        raise ReadFailed("read_kyc: the status of a result is no text")
    return status


def judged(result: Mapping[str, Any], customer_id: str, trace: Trace) -> Done | Undecided | Ended:
    """What one result means: the top-level `status` alone decides, checks are for the report.

    Only the exact word PASSED passes. A status that the vendor does not document is no decision. Raises ReadFailed
    for a result of another customer, and when a member has not the documented type.
    """
    if wire.contradicts(result, "customerId", customer_id):
        raise ReadFailed(f"read_kyc: the result is not about customer {customer_id}")
    status = status_of(result)
    facts = {"decision_status": masking.mark(status or "none", 40), "failed_checks": ";".join(failed_checks(result))}
    if status == "PASSED":
        return Done(facts, trace)
    if status == "FAILED":
        reason = f"KYC failed: {facts['failed_checks'] or 'no check named'}"
        return Ended(Outcome.DECLINED, "kyc_failed", reason, facts, trace)
    return Undecided(facts, trace)


def failed_checks(result: Mapping[str, Any]) -> list[str]:
    """Names of the checks that are not passed, in both shapes that the vendor shows, sorted. Raises ReadFailed."""
    return sorted(
        masking.mark(name, 60) for name, check in result.items() if isinstance(check, dict) and is_bad(name, check)
    )


def is_bad(name: str, check: Mapping[str, Any]) -> bool:
    """`{"result": "FAILED"}` or `{"checked": true, "passed": false}`; a pending check is not bad. Raises ReadFailed."""
    result, *flags = (check.get(each) for each in ("result", "checked", "passed", "pending"))
    odd = any(flag is not None and not isinstance(flag, bool) for flag in flags)
    if odd or (result is not None and not isinstance(result, str)):
        raise ReadFailed(
            f"read_kyc: check {masking.mark(name, 60)} has a member of another type than the documented one"
        )
    if result is not None:
        return result not in {"PASSED", "PENDING"}
    checked, passed, pending = map(bool, flags)
    return checked and not passed and not pending
