"""Verifications (KYC): what a last name brings about, how a pending one is decided, how a result looks."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.sandbox.clock import iso

CHECKS = ("sanctionsListCheck", "selfieMatchesNationalIdentity", "nationalIdentityIsLegitimate")
"""The default set: the names of the Customer Management page."""

KNOWN_CHECKS = frozenset(
    (
        *CHECKS,
        "identityNumberMatchesNationalIdentity",
        "firstNameMatchesNationalIdentity",
        "lastNameMatchesNationalIdentity",
        "dateOfBirthMatchesNationalIdentity",
        "selfieIsASelfie",
        "selfieIsLegitimate",
        "matchCheck",
        "internalBlackListCheck",
        "customListKycCheck",
        "ofacCheck",
        "unCheck",
        "euCheck",
        "ukCheck",
        "iprsCheck",
    )
)
"""Check names of the page and those observed in client code."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`first` is what a trigger answers, `final` what it becomes; a `final` of None never comes."""

    first: str = "PASSED"
    final: str | None = "PASSED"


SCENARIOS = {
    "kycfail": Scenario("FAILED", "FAILED"),
    "kycslow": Scenario("PENDING", "PASSED"),
    "kycslowfail": Scenario("PENDING", "FAILED"),
    "kycstuck": Scenario("PENDING", None),
    "kycodd": Scenario("REFERRED", "REFERRED"),
}
"""By the end of the last name in lower case; no end is the end of another."""

NO_WALLET = "nowallet"
REFUSED = "refused"


def scenario(last_name: str) -> Scenario:
    """The scenario that `last_name` asks for."""
    name = last_name.lower()
    return next((found for ending, found in SCENARIOS.items() if name.endswith(ending)), Scenario())


@dataclass(slots=True)
class Verification:
    """One run of the checks. `polls` reads still find it PENDING."""

    status: str
    final: str | None
    polls: int
    checks: tuple[str, ...]
    modified: float

    def read(self, now: float) -> None:
        """One read by a client: uses up a poll, or decides."""
        if self.status != "PENDING" or self.final is None:
            return
        if self.polls > 0:
            self.polls -= 1
            return
        self.status, self.modified = self.final, now

    def as_json(self) -> dict[str, object]:
        """The result in both of the vendor's shapes: `result`, and checked/passed/pending."""
        shown: dict[str, object] = {"status": self.status, "lastModified": iso(self.modified)}
        for name in self.checks:
            result = self._result(name)
            shown[name] = {
                "result": result,
                "checked": result != "PENDING",
                "passed": result == "PASSED",
                "pending": result == "PENDING",
            }
        return shown

    def _result(self, check: str) -> str:
        if self.status == "FAILED":
            return "FAILED" if check == self.checks[0] else "PASSED"
        return "PASSED" if self.status == "PASSED" else "PENDING"


def start(
    last_name: str, earlier: Sequence[Verification], checks: tuple[str, ...], polls: int, now: float
) -> Verification:
    """A new run; on a PASSED customer it begins as PENDING, because the page warns that it starts over."""
    found = scenario(last_name)
    again = bool(earlier) and earlier[-1].status == "PASSED"
    return Verification("PENDING" if again else found.first, found.final, polls, checks, now)
