"""Operations without a token: login with a password or a signed challenge, renewal.

Chosen, because the vendor's pages name no members for them: `POST authentication/login-challenge {"identity"}` answers
`{"challenge"}`, and the login then carries `identity`, `challenge` and `signature` instead of a password. An identity
with `totpEnabled` also sends `totp`.
"""

import base64
import secrets
from collections.abc import Mapping

from jobs.sandbox.call import Call
from jobs.sandbox.clock import iso
from jobs.sandbox.eclipse import forms, passwords, signing
from jobs.sandbox.eclipse.refusal import Refused
from jobs.sandbox.eclipse.store import Login
from jobs.sandbox.eclipse.tokens import CSRF_HEADER, Session, csrf, expiry
from jobs.sandbox.eclipse.world import World
from jobs.sandbox.reply import Reply, json_reply

TOTP = "123456"
"""The one-time password of everyone, at any time (chosen): nothing hands a secret to the client."""


def login(world: World, call: Call) -> Reply:
    """POST authentication/login."""
    sent = forms.LOGIN.accept(call.json())
    signed = "challenge" in sent or "signature" in sent
    if not signed and "password" not in sent:
        raise Refused(400, "VAL001", "password: is required")
    known = world.login(sent["identity"])
    proves = _proves_by_key if signed else _proves_by_password
    if known is None or not proves(world, known, sent):
        raise Refused(401, "USR002", "The identity or the password is wrong")
    if known.totp and sent.get("totp") != TOTP:
        raise Refused(401, "USR007", "The one-time password is wrong" if "totp" in sent else "TOTP is required")
    return _grant(world, known)


def login_challenge(world: World, call: Call) -> Reply:
    """POST authentication/login-challenge: 44 characters for one login. Unknown identities get one too."""
    sent = forms.CHALLENGE.accept(call.json())
    challenge = base64.b64encode(secrets.token_bytes(32)).decode()
    world.challenges[sent["identity"]] = challenge
    return json_reply({"challenge": challenge})


def renew(world: World, call: Call) -> Reply:
    """POST authentication/renew with a token that is still valid; the old one stays valid until it expires."""
    sent = forms.RENEWAL.accept(call.json())
    session = world.tokens.session(sent["jwt"], world.clock.now())
    if session is None:
        raise Refused(401, "SEC005", "The token is malformed or expired")
    if world.settings.csrf and call.headers.get(CSRF_HEADER.lower()) != csrf(sent["jwt"]):
        raise Refused(403, "SEC001", "The CSRF token is missing or wrong")
    return _grant(world, session)


def _proves_by_password(_: World, known: Login, sent: Mapping[str, str]) -> bool:
    return passwords.matches(known.password, sent["password"])


def _proves_by_key(world: World, known: Login, sent: Mapping[str, str]) -> bool:
    """A challenge is good for one attempt."""
    challenge = world.challenges.pop(known.identity, None)
    if challenge is None or challenge != sent.get("challenge") or known.public_key is None:
        return False
    return signing.verified(known.public_key, challenge, sent.get("signature", ""))


def _grant(world: World, holder: Login | Session) -> Reply:
    now = world.clock.now()
    expires = expiry(now, world.settings.token_seconds)
    session = Session(holder.identity, holder.tenant, holder.positions, expires, holder.customer_id)
    token = world.tokens.issue(session, now)
    guard = {"csrfHeaderName": CSRF_HEADER, "csrfToken": csrf(token)} if world.settings.csrf else {}
    return json_reply(
        {
            "headerName": "Authorization",
            "headerValue": f"Bearer {token}",
            "expiresEpochSecs": expires,
            "expires": iso(expires),
            "tenantId": holder.tenant,
            "roles": list(holder.positions),
            "sessionId": token.rpartition(".")[2][:16],
            **guard,
        }
    )
