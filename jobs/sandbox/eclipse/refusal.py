"""Refusals and their form: an array of errors, each with type, severity, description, code and trace."""

import random
from dataclasses import dataclass

from jobs.sandbox.reply import Headers, Reply, json_reply

SYSTEM_CODES = frozenset({"RLT001", "DAE001", "UNK001"})
"""Codes of type SYSTEM (trying again may help); all others are BUSINESS. Eclipse, error pages."""

CODES = {400: "VAL001", 401: "SEC005", 403: "SEC001", 404: "ARCH086", 409: "USR004", 429: "RLT001", 502: "DAE001"}
"""The code that fits a status when nothing more is known; UNK001 for all others."""


class Refused(Exception):
    """Ends an operation with `status` and one error for each description."""

    def __init__(self, status: int, code: str, *descriptions: str, headers: Headers = ()) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.descriptions = descriptions
        self.headers = headers


@dataclass(slots=True)
class Refusals:
    """Renders refusals with trace ids that depend on the seed only."""

    ids: random.Random

    def render(self, refused: Refused) -> Reply:
        """The error array, as `Eclipse, Customer Management page` shows it."""
        trace = f"{self.ids.getrandbits(128):032x}"
        errors = [
            {
                "type": "SYSTEM" if refused.code in SYSTEM_CODES else "BUSINESS",
                "severity": "HIGH" if refused.status >= 500 else "LOW",
                "description": description,
                "code": refused.code,
                "traceId": trace,
                "spanId": f"{self.ids.getrandbits(64):016x}",
                "environment": "eclipse-sandbox",
            }
            for description in refused.descriptions
        ]
        return json_reply(errors, refused.status).with_headers(refused.headers)
