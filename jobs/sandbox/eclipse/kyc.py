"""Verifications (KYC): what a last name brings about, how a pending one is decided, how a result looks."""

from collections.abc import Collection, Sequence
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
    failing: str = CHECKS[0]
    """The check that a FAILED one names; the first that ran where this one did not."""


SCENARIOS = {
    "kycfail": Scenario("FAILED", "FAILED"),
    "kycslow": Scenario("PENDING", "PASSED"),
    "kycslowfail": Scenario("PENDING", "FAILED"),
    "kycstuck": Scenario("PENDING", None),
    "kycodd": Scenario("REFERRED", "REFERRED"),
}
"""By the end of the last name in lower case; no end is the end of another."""

SECOND = "kycsecond"
"""FAILED the first time, then PASSED."""
NO_DOCUMENT = "nodocument"
"""FAILED on the selfie until there are a photo of the face and an identity document to compare."""
COMPARED = frozenset({"FACIAL_PHOTO", "NATIONAL_IDENTITY"})
SELFIE = "selfieMatchesNationalIdentity"
NO_WALLET = "nowallet"
TWO_WALLETS = "twowallets"
REFUSED = "refused"


def scenario(last_name: str, runs: int, papers: Collection[str], checks: Collection[str]) -> Scenario:
    """What `last_name` asks for after `runs` earlier verifications, with documents of the types `papers`."""
    name = last_name.lower()
    if name.endswith(SECOND):
        return Scenario() if runs else SCENARIOS["kycfail"]
    if name.endswith(NO_DOCUMENT) and SELFIE in checks and not COMPARED.issubset(papers):
        return Scenario("FAILED", "FAILED", SELFIE)
    return next((found for ending, found in SCENARIOS.items() if name.endswith(ending)), Scenario())


@dataclass(slots=True)
class Verification:
    """One run of the checks. `polls` reads still find it PENDING."""

    status: str
    final: str | None
    polls: int
    checks: tuple[str, ...]
    modified: float
    kind: str = "NORMAL"
    """`type` of the request."""
    failing: str = CHECKS[0]

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
            failing = self.failing if self.failing in self.checks else self.checks[0]
            return "FAILED" if check == failing else "PASSED"
        return "PASSED" if self.status == "PASSED" else "PENDING"


def start(
    last_name: str,
    earlier: Sequence[Verification],
    papers: Collection[str],
    *,
    kind: str,
    checks: tuple[str, ...],
    polls: int,
    now: float,
) -> Verification:
    """A new run; on a PASSED customer it begins as PENDING, because the page warns that it starts over."""
    found = scenario(last_name, len(earlier), papers, checks)
    again = bool(earlier) and earlier[-1].status == "PASSED"
    return Verification("PENDING" if again else found.first, found.final, polls, checks, now, kind, found.failing)
