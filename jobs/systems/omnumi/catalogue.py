"""Omnumi's errors by what they mean for a row. Pure; nothing is sent, and no word of the target is believed blindly.

The release note lists possible errors, some as placeholders that were never filled in, and one under a type that says
the opposite. So the message decides and the type comes second; both are compared without case and punctuation.
"""

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

from jobs.privacy import masking
from jobs.systems.json_reply import Unreadable, parsed, text_of
from jobs.systems.messages import Reply
from jobs.systems.row import Row
from jobs.value import value
from schemas.omnumi import OMNUMI

MEMBERS = frozenset(part for column in OMNUMI if column.api for part in column.api.split(".") if not part.isdigit())
"""Names that may be repeated from a refusal: they are of the form, never of a person."""

LEAST_QUOTED = 3
"""Values of the row shorter than that are not looked for in a quotation (chosen): they would star half of it."""


class Meaning(IntEnum):
    """What an error says; of several the highest counts."""

    INVALID = 1
    """The row's data were refused."""
    EXISTS = 2
    """Somebody has it already; whose record that is, it does not say."""
    UNKNOWN = 3
    """It may have been applied."""
    BLOCKED = 4
    """No row of this job can succeed."""


@value
class Known:
    """An error that the release note lists. `text` is searched in the normalised message."""

    text: str
    meaning: Meaning
    code: str
    reason: str


CATALOGUE = (
    Known("valid tenant id|invalid tenant", Meaning.BLOCKED, "tenant", "the target takes the tenant for invalid"),
    Known("no data found .*tenant", Meaning.BLOCKED, "tenant", "the target does not know the tenant"),
    Known("tenant .*blocked", Meaning.BLOCKED, "tenant", "the tenant is blocked at the target"),
    Known("tenant onboarding status", Meaning.BLOCKED, "tenant", "the tenant's own onboarding is not complete"),
    Known(
        "(access|fetch|valid|expired) token|token (is )?(invalid|expired|missing)",
        Meaning.BLOCKED,
        "token",
        "the target refuses the access token",
    ),
    Known("namespace .*(taken|already|exists)", Meaning.EXISTS, "namespace_taken", "the custom namespace is taken"),
    Known("account address .*(taken|already|exists)", Meaning.EXISTS, "account_taken", "the account address is taken"),
    Known(
        "email .*(taken|already|exists)|already .*registered",
        Meaning.EXISTS,
        "email_taken",
        "the e-mail is registered already",
    ),
    Known("user already exist", Meaning.EXISTS, "user_taken", "the wallet user exists already in the tenant"),
    Known("iso 3166", Meaning.INVALID, "refused_by_target", "country and state are no ISO 3166-1 codes for the target"),
    Known("sufficient documents", Meaning.INVALID, "refused_by_target", "there are not enough documents"),
    Known("deleting identity", Meaning.UNKNOWN, "half_made", "the target could not undo what it had begun"),
)
"""In the order in which they are tried."""

PERSONAL_FACT = re.compile("birth|name|document|passport|ssn|address|licen[cs]e|phone|e ?mail|photo|selfie|face|number")
REFUSING = re.compile("match|invalid|not valid|expired|required|missing|must|unreadable|blurred")
"""A message of the provider of verifications is about the row when it names a fact of a person and what is wrong."""


@value
class Judged:
    """One error of a reply. `reason` has nothing personal in it."""

    meaning: Meaning
    code: str
    reason: str
    kind: str | None
    """The vendor's `type`."""


def worst(reply: Reply, row: Row | None) -> Judged:
    """The error that counts, by severity and then by place. A reply without any is UNKNOWN."""
    found = [judged(error, row) for error in errors_of(reply)]
    nothing = Judged(Meaning.UNKNOWN, "unexplained", f"the target answered HTTP {reply.status} without an error", None)
    return max(found, key=lambda each: each.meaning, default=nothing)


def errors_of(reply: Reply) -> list[Mapping[str, Any]]:
    """The elements of `errors`; empty when the body is of another form."""
    try:
        body = parsed(reply)
    except Unreadable:
        return []
    errors = body.get("errors") if isinstance(body, dict) else None
    return [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []


def kind_of(error: Mapping[str, Any]) -> str | None:
    """Its `type`, masked and cut to 40 characters."""
    kind = text_of(error, "type")
    return kind and masking.line(kind)[:40]


def judged(error: Mapping[str, Any], row: Row | None) -> Judged:
    """What one error means: the message first, the type second."""
    kind, message = kind_of(error), text_of(error, "message") or ""
    words, type_words = normalised(message), normalised(kind or "")
    for known in CATALOGUE:
        if re.search(known.text, words):
            return Judged(known.meaning, known.code, known.reason, kind)
    if type_words == "rule error":
        return Judged(Meaning.INVALID, "refused_by_target", rule_broken(error), kind)
    if type_words == "finclusive" and PERSONAL_FACT.search(words) and REFUSING.search(words):
        reason = f"the verification provider refused it: {quoted(message, row)}"
        return Judged(Meaning.INVALID, "refused_by_target", reason, kind)
    said = quoted(message, row) or "nothing"
    return Judged(Meaning.UNKNOWN, "unexplained", f"the target said: {said} ({kind or 'no type'})", kind)


def normalised(text: str) -> str:
    """Small letters and digits with single spaces between words; `e-mail` is `email`."""
    return re.sub("[^a-z0-9]+", " ", text.casefold().replace("e-mail", "email")).strip()


def rule_broken(error: Mapping[str, Any]) -> str:
    """A Rule Error in words: the members that it names. What else it holds is not documented, so nothing is quoted."""
    words = {word for text in texts([error.get("errors"), error.get("message")]) for word in re.findall(r"\w+", text)}
    named = sorted(words & MEMBERS)
    return f"a rule of the target refused {', '.join(named)}" if named else "a rule of the target refused the row"


def texts(value: object) -> Iterator[str]:
    """All texts in `value`, names of members too, however deep they lie."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            left.extend(each)
        elif isinstance(each, dict):
            left.extend([*each, *each.values()])


def quoted(text: str, row: Row | None) -> str:
    """The target's own words without numbers, e-mails and values of the row, cut to 200 characters."""
    told = masking.line(text)
    for each in sorted(row.values.values() if row else (), key=len, reverse=True):
        if len(each) >= LEAST_QUOTED:
            told = re.sub(re.escape(each), "***", told, flags=re.IGNORECASE)
    return told[:200]
