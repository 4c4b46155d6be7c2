"""Bearer tokens: shaped like the vendor's, checked by remembering them."""

import base64
import hashlib
import math
import secrets
from dataclasses import dataclass

import orjson

CSRF_HEADER = "X-CSRF-Token"
"""Chosen: clients learn the name from the login's reply."""


@dataclass(frozen=True, slots=True)
class Session:
    """Whose token it is. `customer_id` is set when a customer logged in, not an admin user."""

    identity: str
    tenant: int
    positions: tuple[str, ...]
    expires: int
    """Epoch seconds; from then on the token is refused."""
    customer_id: int | None = None

    @property
    def onboarding(self) -> bool:
        """The bootstrap credential of self-registration."""
        return "ONBOARDING" in self.positions


class Tokens:
    """The tokens issued since the last reset."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def issue(self, session: Session, now: float) -> str:
        """A new token for `session`, with the claims seen in the vendor's samples; never the same twice."""
        claims = {
            "sub": session.identity,
            "tenant": session.tenant,
            "exp": session.expires,
            "iat": int(now),
            "pos": list(session.positions),
            "sess": secrets.token_hex(8),
        }
        if session.customer_id is not None:
            claims["uid"] = session.customer_id
        parts = [orjson.dumps({"alg": "HS256", "typ": "JWT"}), orjson.dumps(claims), secrets.token_bytes(32)]
        token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        self._sessions[token] = session
        return token

    def owner(self, token: str) -> Session | None:
        """Whose `token` it is, whether still valid or not; None for one that was never issued."""
        return self._sessions.get(token)

    def session(self, token: str, now: float) -> Session | None:
        """The session of a valid token; None for a malformed, unknown or expired one."""
        session = self._sessions.get(token)
        return session if session is not None and now < session.expires else None


def csrf(token: str) -> str:
    """The CSRF token that belongs to `token`."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def expiry(now: float, seconds: float) -> int:
    """Epoch seconds, rounded up: the life is never shorter than promised."""
    return math.ceil(now + seconds)
