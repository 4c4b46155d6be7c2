"""The login with a key instead of a password: a challenge is fetched, signed, and sent back.

The vendor's pages have the procedure and no member names; the names here are chosen, and settings.
"""

from collections.abc import Mapping

import orjson

from jobs.errors import NotPermitted, Unusable
from jobs.privacy.rsa_keys import signed
from jobs.systems.eclipse import wire
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.messages import CallClass, Reply, Request
from jobs.value import value

PASSWORD, PKI = "password", "pki"


@value
class Challenge:
    """Paths and member names of the procedure."""

    authentication: str
    """`.../authentication`, absolute below the base URL."""
    operation: str
    member: str
    signature: str

    def fetch(self, identity: str) -> Request:
        """Asks for a challenge for `identity`."""
        return self._request("login_challenge", self.operation, {"identity": identity})

    def answer(self, identity: str, reply: Reply, private_key: str) -> Request:
        """The login that answers the challenge in `reply`. Raises NotPermitted, and ValueError like `token_of`."""
        record = DIALECT.granted(reply, "no login challenge: {words} (HTTP {status})")
        challenge = wire.text_of(record, self.member)
        if challenge is None:
            raise NotPermitted(
                f"the reply to a login challenge has no {self.member}", hint="[eclipse] challenge_member"
            )
        try:
            signature = signed(challenge, private_key)
        except Unusable as error:
            raise NotPermitted(error.message, hint=error.hint) from error
        body = {"identity": identity, self.member: challenge, self.signature: signature}
        return self._request("login", "login", body)

    def _request(self, name: str, operation: str, body: Mapping[str, str]) -> Request:
        path = f"{self.authentication}/{operation}"
        return Request(name, "POST", path, body=orjson.dumps(body), call_class=CallClass.LOGIN)
