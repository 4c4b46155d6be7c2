"""Steps with the customer's own token, as step 5 of self-registration has it: no credential of ours takes part.

The token is got by logging in as the customer, kept with the row's case and nowhere else, and got anew once it is
refused.
"""

from dataclasses import dataclass, replace

from jobs.model import Outcome
from jobs.systems.contract import WritingStep
from jobs.systems.eclipse.handover import Handover, Proof
from jobs.systems.messages import Reader, Reply, Request, Token
from jobs.systems.row import View
from jobs.systems.verdict import Again, Ended, Finding, Verdict
from jobs.value import value

OWN = "own_token"
"""The note that holds the customer's token."""

WHY = {
    Proof.TOTP: "it asks for a one-time password",
    Proof.BCRYPT: "its password is a hash",
    Proof.UNREADABLE: "its password was delivered by an earlier run and can't be read back",
    Proof.NO_CLAIM: "its token does not say whose it is",
    Proof.REFUSED: "the target does not let it in",
    Proof.OTHER: "it opens another record",
}
"""Why a login can't be used."""


class Closed(Exception):
    """The customer's login can't be used."""

    def __init__(self, proof: Proof) -> None:
        super().__init__(WHY[proof])


@value
class OwnReader:
    """Reads as the customer. A token that is refused is replaced once. Raises Closed beside what any reader raises."""

    reader: Reader
    handover: Handover
    view: View

    async def read(self, request: Request) -> Reply:
        """The reply, with the customer's token."""
        reply = await self.reader.read(presented(request, await self.token()))
        if reply.status == 401:
            self.view.notes.pop(OWN, None)
            reply = await self.reader.read(presented(request, await self.token()))
        return reply

    async def token(self) -> Token:
        """The token that the row's case has, else a new one. Raises Closed."""
        if OWN not in self.view.notes:
            proof, token = await self.handover.opened(self.reader, self.view)
            if token is None:
                raise Closed(proof)
            self.view.notes[OWN] = token
        found: Token = self.view.notes[OWN]
        return found


def presented(request: Request, token: Token) -> Request:
    """`request` with that token in the place of ours."""
    return replace(request, anonymous=True, headers=(*request.headers, (token.header_name, token.header_value)))


@dataclass(frozen=True, slots=True)
class OwnStep:
    """A step of onboarding, done by the customer."""

    inner: WritingStep
    handover: Handover

    @property
    def name(self) -> str:
        """That of the step: an operator's run goes on where this ends."""
        return self.inner.name

    @property
    def resends(self) -> int | None:
        """As the step."""
        return self.inner.resends

    @property
    def settle_seconds(self) -> float | None:
        """As the step."""
        return self.inner.settle_seconds

    async def look(self, reader: Reader, view: View) -> Finding:
        """As the step, read by the customer; the end of the row where its login can't be used."""
        own = OwnReader(reader, self.handover, view)
        try:
            await own.token()
            return await self.inner.look(own, view)
        except Closed as error:
            reason = f"{self.name} can't be asked for as the customer: {error}; an operator goes on with muster run"
            return Ended(Outcome.FAILED, "own_login_unusable", reason)

    def write(self, view: View) -> Request:
        """As the step, sent by the customer; the look before it has the token."""
        return presented(self.inner.write(view), view.notes[OWN])

    def classify(self, reply: Reply, view: View) -> Verdict:
        """As the step; a token that was refused was not looked at any further, and is got anew."""
        if reply.status == 401:
            view.notes.pop(OWN, None)
            return Again("own_token_refused", "the target refuses the customer's token")
        return self.inner.classify(reply, view)
