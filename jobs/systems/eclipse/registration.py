"""Self-registration at Eclipse with the ONBOARDING credential: customer, login, handover. No KYC, no wallet.

The keys and the ledger's records are those of onboarding, so that an operator's run goes on where this ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jobs.model import Outcome
from jobs.privacy.passwords import PasswordFile
from jobs.systems.contract import Capabilities, Setup, Step, WritingStep, writes
from jobs.systems.defaults import Defaults
from jobs.systems.eclipse import wire
from jobs.systems.eclipse.address import AddressStep
from jobs.systems.eclipse.document import DocumentStep
from jobs.systems.eclipse.existence import has_login
from jobs.systems.eclipse.handover import Handover, HandoverStep
from jobs.systems.eclipse.identity import IdentityStep
from jobs.systems.eclipse.newcomer import NewcomerStep
from jobs.systems.eclipse.own import OwnStep
from jobs.systems.eclipse.profile import ProfileStep
from jobs.systems.eclipse.system import CAPABILITIES as ECLIPSE
from jobs.systems.eclipse.system import COMPARED, ONBOARDING, Eclipse, EclipseSettings, compared
from jobs.systems.eclipse.upload import UploadStep
from jobs.systems.messages import Reader
from jobs.systems.row import Row
from jobs.systems.sighting import Listed, Sighting

LOGIN_THERE = "login"
"""What a fresh read calls a customer that has a login; it stands where onboarding has the KYC status."""

CAPABILITIES = Capabilities(
    title="Eclipse Conductor, self-registration",
    creates_customers=True,
    idempotency_key="externalUniqueId",
    lookups=(),
    steps=("customer", "identity", "handover"),
    documented_limit="60 mutating calls per 180 s and IP for the ONBOARDING credential",
    decision=None,
    decided={
        Outcome.ONBOARDED: frozenset({LOGIN_THERE}),
        Outcome.ALREADY_ONBOARDED: frozenset({LOGIN_THERE}),
    },
    active=frozenset({"ACTIVE"}),
    credential="the ONBOARDING credential: identity and password, identity and private key, or a token",
    takes=frozenset({"identity", "token", "key"}),
    logins=True,
    reads_apart=True,
)

ALL = (*CAPABILITIES.steps, *(step for step in ECLIPSE.steps if step != "customer"))
"""The steps where the customer goes on after the handover."""

SETTINGS = EclipseSettings


def system(setup: Setup, settings: EclipseSettings) -> "Registration":
    """Self-registration for one tenant."""
    return Registration(setup, settings)


class Registration(Eclipse):
    """Eclipse Conductor as the ONBOARDING credential uses it."""

    capabilities = CAPABILITIES

    def __init__(self, setup: Setup, settings: EclipseSettings) -> None:
        super().__init__(setup.tenant, setup.keys, settings, setup.files)
        passwords = setup.passwords or PasswordFile(None)
        handover = Handover(passwords, self.login, self.token_of)
        self.identity = IdentityStep(self.tenant_path, passwords, handover)
        self.own, self.handover = setup.own, handover
        self.uploads = tuple(UploadStep(each) for each in self.papers if isinstance(each, DocumentStep))
        self.before: tuple[Step, ...] = (NewcomerStep(self.customer),)
        if settings.onboarding_updates:
            self.before += (ProfileStep(self.tenant_path),)
        self.after: tuple[Step, ...] = (self.identity, HandoverStep(handover))
        early = self.uploads if settings.onboarding_uploads else ()
        own = tuple(self.as_customer(each) for each in self.following()) if self.own else ()
        self.steps = (*self.before, *early, *self.after, *own)
        self.later_columns |= {"identity", "password", "totp_enabled", "public_key"}
        if self.own:
            self.capabilities = replace(
                CAPABILITIES, decision=ECLIPSE.decision, decided=ECLIPSE.decided, wallets=True, steps=ALL
            )

    def following(self) -> Sequence[WritingStep]:
        """What the customer does after the handover, in the order of an onboarding."""
        return (*self.own_papers(), self.decision, self.wallet)

    def own_papers(self) -> Sequence[AddressStep | DocumentStep]:
        """What the customer adds: the address, which ONBOARDING may not, and documents that ONBOARDING does not."""
        early = self.settings.onboarding_uploads
        return [each for each in self.papers if not (early and isinstance(each, DocumentStep))]

    def as_customer(self, step: WritingStep) -> Step:
        """The step with the customer's own token."""
        return OwnStep(step, self.handover)

    def steps_of(self, row: Row) -> Sequence[Step]:
        """Registering; where the customer goes on, what an onboarding of the row would have."""
        early = [step for step in self.uploads if self.settings.onboarding_uploads and step.inner.wanted(row)]
        registering = (*self.before, *early, *self.after)
        if not self.own:
            return registering
        done = {self.customer.name, *(step.name for step in early)}
        onboarding = [step for step in Eclipse.steps_of(self, row) if step.name not in done]
        return (*registering, *(self.as_customer(step) for step in onboarding if writes(step)))

    admit = Defaults.admit

    def reads_with(self, positions: frozenset[str]) -> bool:
        """An operator registers with rights that ONBOARDING has not; no positions: nobody knows."""
        return bool(positions) and ONBOARDING not in positions

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """What an onboarding promises, where the customer went on; else the profile, and whether there is a login.

        Not with the ONBOARDING credential, which may not look back.
        """
        if self.own:
            return await super().sight(reader, row, facts, listed)
        profiles = await self._profiles(reader, row, facts)
        ids = [str(wire.identifier(profile.get("customerId"))) for profile in profiles]
        if len(profiles) != 1:
            return Sighting(ids)
        return Sighting(
            customer_ids=ids,
            comparisons=[compared(column, row, profiles[0]) for column in COMPARED],
            decision_status=LOGIN_THERE if await has_login(reader, self.tenant_path, ids[0]) else "no login",
            customer_status=wire.text_of(profiles[0], "status"),
        )
