"""Who may call bLink: the headers of every call, the tokens of the consent module. The client certificate is not seen.

The consent module's browser flow is not here: a client starts from the stored refresh token.
"""

import ipaddress
import math
import secrets
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from jobs.sandbox.blink.forms import Refused
from jobs.sandbox.call import Call
from jobs.sandbox.reply import Reply, json_reply

if TYPE_CHECKING:
    from jobs.sandbox.blink.system import Switches

FORM = "application/x-www-form-urlencoded"
LONGEST_CORRELATION = 64
SCOPE = "customer-management"
"""The scope of this module is on no page; chosen."""


class Tokens:
    """The tokens of one consent since the last reset."""

    def __init__(self) -> None:
        self._expiry: dict[str, float] = {}
        self._rotated: str | None = None
        """The refresh token in force once the first one was used and replaced."""

    def grant(self, call: Call, switches: "Switches", now: float, seconds: float) -> Reply:
        """POST oauth/token with a refresh token; Refused 400, 401 or 415. The old access token lives on."""
        if not call.headers.get("content-type", "").startswith(FORM):
            raise Refused(415, "malformedPayload", f"The content type is not {FORM}")
        sent = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
        current = self._rotated or switches.refresh_token
        _check_grant(sent, switches, current)
        if switches.rotate_refresh:
            current = self._rotated = secrets.token_urlsafe(32)
        token = secrets.token_urlsafe(32)
        self._expiry[token] = now + seconds
        return json_reply(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": math.ceil(seconds),
                "refresh_token": current,
                "scope": SCOPE,
            }
        ).with_headers((("cache-control", "no-store"),))

    def check(self, call: Call, switches: "Switches", now: float) -> None:
        """Refused 401 unless the call carries a valid token or, with `caas`, the stored consent's Permission-ID."""
        if switches.caas:
            if call.headers["permission-id"] != switches.permission_id:
                raise Refused(401, "invalidToken", "The permission is unknown")
            return
        expiry = self._expiry.get(_bearer(call))
        if expiry is None:
            raise Refused(401, "invalidToken", "The token is missing or unknown")
        if now >= expiry:
            raise Refused(401, "expiredToken", "The token has expired")

    def issued(self, call: Call) -> bool:
        """Does the call carry a token that was issued, still valid or not?"""
        return _bearer(call) in self._expiry


def check_headers(headers: Mapping[str, str], *, caas: bool) -> None:
    """Refused 400 for the first header that is missing or malformed."""
    needed = ["X-Correlation-ID", "X-CorAPI-Target-ID", "X-PSU-IP-Address", "X-PSU-User-Agent", "User-Agent"]
    for name in [*needed, "Permission-ID"] if caas else needed:
        if not headers.get(name.lower(), "").strip():
            raise Refused(400, "invalidPayload", f"{name}: is required")
    if len(headers["x-correlation-id"]) > LONGEST_CORRELATION:
        raise Refused(400, "invalidPayload", f"X-Correlation-ID: has more than {LONGEST_CORRELATION} characters")
    if headers["x-psu-ip-address"] != "AUTO" and not _is_address(headers["x-psu-ip-address"]):
        raise Refused(400, "invalidPayload", "X-PSU-IP-Address: is neither an IP address nor AUTO")
    if caas and not _is_uuid(headers["permission-id"]):
        raise Refused(400, "invalidPayload", "Permission-ID: is not a UUID")


def _check_grant(sent: Mapping[str, str], switches: "Switches", current: str) -> None:
    """The vendor names the statuses; the codes in `error` are those of RFC 6749."""
    if sent.get("grant_type") != "refresh_token":
        raise Refused(400, "invalidPayload", "Only refresh_token is granted here", error="unsupported_grant_type")
    if sent.get("client_id") != switches.client_id:
        raise Refused(401, "insufficientPrivileges", "The client is unknown", error="invalid_client")
    if not sent.get("refresh_token"):
        raise Refused(400, "invalidPayload", "refresh_token: is required", error="invalid_request")
    if switches.refuse_refresh or sent["refresh_token"] != current:
        raise Refused(400, "invalidToken", "The refresh token is expired, revoked or used", error="invalid_grant")


def _bearer(call: Call) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
