"""Profile updates that Azakaw sends by itself: whether they are Azakaw's, and what they say.

The pages say that there are such notifications, and with which kinds of credential (ApiKey, Basic); neither the form of
a signature nor the members of a notification is captured. So each is a setting, and without `webhook_auth` nothing is
received.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from jobs.errors import Unusable
from jobs.systems.azakaw.submissions import STATES
from jobs.systems.json_reply import Unreadable, identifier
from jobs.systems.optional import NotAuthentic, Notice
from jobs.value import value

HEADERS = {"hmac": "x-signature", "api_key": "x-api-key", "basic": "authorization"}
"""The header that carries the proof, by kind, unless `webhook_header` names another one (chosen)."""

UNKNOWN = "the documents do not capture how Azakaw signs its notifications: nothing is received until that is said"


@value
class Webhook:
    """How a notification proves itself, and where in it is what."""

    auth: str
    header: str
    timestamp_header: str
    tolerance_seconds: float
    id_header: str
    submission: str
    state: str

    def notice(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Notice:
        """What came. Raises NotAuthentic, Unreadable; Unusable when no kind of proof is set."""
        if self.auth not in HEADERS:
            raise Unusable(UNKNOWN, hint=f"give webhook_auth in [azakaw]: {', '.join(HEADERS)}")
        given = headers.get(self.header or HEADERS[self.auth], "")
        stamp = headers.get(self.timestamp_header, "") if self.timestamp_header else ""
        if not self.proven(given, stamp, body, secret) or not self.timely(stamp, now):
            raise NotAuthentic
        content = read(body)
        customer_id = identifier(member(content, self.submission))
        if customer_id is None:
            raise Unreadable(f"it has no {self.submission}")
        state, known_by = member(content, self.state), headers.get(self.id_header, "") if self.id_header else ""
        same = known_by.encode() if known_by else body + stamp.encode()
        return Notice(customer_id, state if state in STATES else None, same)

    def proven(self, given: str, stamp: str, body: bytes, secret: str) -> bool:
        """Whether the proof is the one that only Azakaw can give; compared in constant time."""
        if self.auth == "basic":
            given = decoded(given)
        if self.auth == "hmac":
            signed = f"{stamp}.".encode() + body if self.timestamp_header else body
            made = hmac.new(secret.encode(), signed, hashlib.sha256)
            given = given.removeprefix("sha256=").strip()
            hexadecimal = hmac.compare_digest(given.lower().encode(), made.hexdigest().encode())
            return hmac.compare_digest(given.encode(), base64.b64encode(made.digest())) or hexadecimal
        return hmac.compare_digest(given.encode(), secret.encode())

    def timely(self, stamp: str, now: datetime) -> bool:
        """Whether it was sent just now, where a header says when: whole seconds since 1970."""
        if not self.timestamp_header:
            return True
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
            return False
        return abs(now.timestamp() - int(stamp)) <= self.tolerance_seconds


def decoded(header: str) -> str:
    """`user:password` of a Basic header; empty when it is none."""
    scheme, _, content = header.partition(" ")
    try:
        return base64.b64decode(content, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def read(body: bytes) -> Any:
    """The body as JSON. Raises Unreadable."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("it is no JSON") from error


def member(content: Any, path: str) -> Any:
    """The member at a dotted path; None where there is none."""
    for name in path.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content
