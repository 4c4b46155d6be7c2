"""Step 3 of self-registration, the handover: logging in as the customer proves that the login opens its own record.

It is a read in spirit and changes nothing; its token is looked at and forgotten. The ONBOARDING credential plays no
part in it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from jobs.errors import NotPermitted
from jobs.model import Outcome
from jobs.systems.contract import Passwords
from jobs.systems.eclipse import wire
from jobs.systems.eclipse.dialect import codes_of
from jobs.systems.jwt import claims_of
from jobs.systems.messages import Reader, Reply, Request, Token
from jobs.systems.row import Row, View
from jobs.systems.verdict import Done, Ended, Finding, Unclear
from jobs.value import value

ONE_TIME_CODES = frozenset({"USR007"})
"""A wrong or missing one-time password."""

BCRYPT = re.compile(r"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}")
"""A password that is a hash opens nothing: the clear one does, and only its owner knows it."""


class Proof(Enum):
    """What an attempt to log in as the customer shows."""

    GIVEN = auto()
    OTHER = auto()
    """The login opens another record."""
    REFUSED = auto()
    TOTP = auto()
    """The login asks for a one-time password, which the customer alone has."""
    BCRYPT = auto()
    UNREADABLE = auto()
    """The password was delivered by an earlier run and can't be read back."""
    NO_CLAIM = auto()
    """It logs in, but the token does not say as whom."""


UNPROVEN = {
    Proof.TOTP: "handover_unproven:totp_enabled",
    Proof.BCRYPT: "handover_unproven:password",
    Proof.UNREADABLE: "handover_unproven:passwords",
    Proof.NO_CLAIM: "handover_unproven:uid",
}
"""Proofs that can't be had, as warnings: the login is there all the same."""


@value
class Handover:
    """Logs in as a row's customer."""

    passwords: Passwords
    login: Callable[[str, str], Request]
    token_of: Callable[[Reply], Token]

    async def attempt(self, reader: Reader, view: View) -> Proof:
        """One login at most, without our own credential. Raises ReadFailed."""
        return (await self.opened(reader, view))[0]

    async def opened(self, reader: Reader, view: View) -> tuple[Proof, Token | None]:
        """What a login shows, and the customer's token where it is GIVEN. Raises ReadFailed."""
        row = view.row
        password = self.passwords.known(row, row.values["identity"])
        hidden = self.hidden(row, password)
        if hidden is not None or password is None:
            return hidden or Proof.UNREADABLE, None
        reply = await reader.read(replace(self.login(row.values["identity"], password), anonymous=True))
        if not reply.ok:
            return (Proof.TOTP if codes_of(reply) & ONE_TIME_CODES else Proof.REFUSED), None
        try:
            token = self.token_of(reply)
        except NotPermitted:
            return Proof.OTHER, None
        except ValueError:
            return Proof.NO_CLAIM, None
        uid = wire.text_of(claims_of(token.header_value), "uid")
        if uid is None:
            return Proof.NO_CLAIM, None
        return (Proof.GIVEN, token) if uid == view.facts["customer_id"] else (Proof.OTHER, None)

    def hidden(self, row: Row, password: str | None) -> Proof | None:
        """Why no login can be tried at all; None when it can."""
        if row.get("totp_enabled") == "true":
            return Proof.TOTP
        return Proof.BCRYPT if password is not None and BCRYPT.fullmatch(password) else None


@dataclass(frozen=True, slots=True)
class HandoverStep:
    """Proves the login. Looking is all it does."""

    handover: Handover
    name: str = "handover"

    async def look(self, reader: Reader, view: View) -> Finding:
        """Done when the customer's own token names the customer, or with a warning when that can't be shown."""
        proof = await self.handover.attempt(reader, view)
        if proof is Proof.GIVEN:
            return Done()
        if proof in UNPROVEN:
            return Done({"warning": UNPROVEN[proof]})
        if proof is Proof.OTHER:
            return Ended(Outcome.CONFLICT, "login_of_another", "the login opens the record of another customer")
        return Unclear("handover_refused", "the login exists, but the target does not let it in with its password")
