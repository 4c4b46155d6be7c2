"""What a preflight asks Eclipse: reads alone, about nobody in particular."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.errors import NotPermitted
from jobs.privacy import masking
from jobs.systems.contract import CLOCK_SKEW
from jobs.systems.eclipse import shown, wire
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import Reader, ReadFailed, Reply, Request
from jobs.systems.optional import Check
from jobs.systems.retry_after import http_date

NOBODY = "00000000000000"
"""An identity number that nobody has: 14 digits, the longest here have 13."""

MOST_PROFILES = 3
"""Profiles that are read before it is said that none shows a key (chosen): others than muster make customers too."""

BEGINNING = datetime.min.replace(tzinfo=UTC)

NOTICED_SKEW = timedelta(seconds=5)
"""Chosen: below, a clock is right for all that muster compares."""


async def examine(reader: Reader, tenant_path: str) -> Sequence[Check]:
    """Search, clock, existence test, keys in profiles, limit headers; in that order. Raises ReadFailed."""
    customers = f"{tenant_path}/customers"
    try:
        query = (("limit", str(wire.PAGE_SIZE)), ("offset", "0"))
        first = await reader.read(Request("search_customers", "GET", customers, query))
    except NotPermitted as error:
        return [Check("search of customers", False, error.message, error.hint)]
    checks = [_searched(first), clock(first)]
    checks.append(await _existence(reader, customers))
    if first.ok:
        checks.append(await _keys(reader, tenant_path, first))
    checks.append(limits(first.headers))
    return checks


def _searched(reply: Reply) -> Check:
    if reply.ok:
        return Check("search of customers", True, "allowed")
    words = f"{DIALECT.words_of(reply)} (HTTP {reply.status})"
    advice = "an ONBOARDING credential only registers: use an operator's (TENANT_SYSTEM or LEVEL_nn) of this tenant"
    return Check("search of customers", False, words, advice if reply.status == 403 else "check --tenant, --base-url")


def clock(reply: Reply) -> Check:
    """Our clock against the `Date` of a reply."""
    theirs = http_date(reply.headers.get("date", ""))
    if theirs is None:
        return Check("clock", None, "the target sends no Date: its clock is unknown")
    skew = reply.received_at - theirs
    words = f"{abs(skew.total_seconds()):.0f} s {'ahead of' if skew > timedelta() else 'behind'} the target's"
    if abs(skew) > CLOCK_SKEW:
        return Check("clock", False, words, "set this machine's clock (NTP): doubts are settled by comparing times")
    return Check("clock", True if abs(skew) <= NOTICED_SKEW else None, words)


async def _existence(reader: Reader, customers: str) -> Check:
    """HEAD is documented for ONBOARDING credentials; others may lack it, and then searches do."""
    try:
        reply = await reader.read(Request("customer_exists", "HEAD", customers, (("nationalIdentityNumber", NOBODY),)))
    except (NotPermitted, ReadFailed):
        return Check("existence test", None, "not answered; muster searches instead, only `register` needs it")
    if reply.status in {200, 404}:
        return Check("existence test", True, "allowed")
    return Check("existence test", None, f"HTTP {reply.status}; muster searches instead, only `register` needs it")


async def _keys(reader: Reader, tenant_path: str, first: Reply) -> Check:
    name = "keys in profiles"
    try:
        records = wire.records_of(first)
    except wire.Unreadable as error:
        return Check(name, False, f"the search gave no list: {error}", "check --base-url")
    found = [customer_id for record in newest_first(records) if (customer_id := wire.identifier(record["customerId"]))]
    if not found:
        return Check(name, None, "not known: the tenant has no customer yet")
    for customer_id in found[:MOST_PROFILES]:
        profile = await shown.profile(reader, tenant_path, customer_id) or {}
        if wire.text_of(profile, "externalUniqueId"):
            return Check(name, True, "profiles show externalUniqueId: what is ours is proven by it")
    words = "profiles show no externalUniqueId: what is ours is proven by wallets, times and equal data"
    return Check(name, None, words, "lost replies may end as conflict `unproven`; see docs/eclipse.md")


def newest_first(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records that show an id, by `created`; a list may come in any order."""
    dated = [(wire.moment_of(record.get("created")), record) for record in records if "customerId" in record]
    return [record for _, record in sorted(dated, key=lambda each: each[0] or BEGINNING, reverse=True)]


def limits(headers: Mapping[str, str]) -> Check:
    """What the reply says of a budget of calls; the vendor names no header, so that all that look like one count."""
    found = {name: value for name, value in headers.items() if "ratelimit" in name.replace("-", "")}
    if not found:
        return Check("limit headers", None, "none: the pace is found by trying, or given with --rate")
    return Check(
        "limit headers", True, ", ".join(f"{name}: {masking.mark(value, 40)}" for name, value in sorted(found.items()))
    )
