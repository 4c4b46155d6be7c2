"""Eclipse Conductor as a system: settings, capabilities, login, and the reads of reconciliation and look-up."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from jobs import folded
from jobs.errors import NotPermitted, Unusable
from jobs.keys import KeySpace
from jobs.model import Outcome, Rate
from jobs.privacy import masking
from jobs.privacy.documents import MOST_BYTES
from jobs.systems.contract import Capabilities, Reads, Setup, Step
from jobs.systems.defaults import Defaults
from jobs.systems.eclipse import lookup, shown, wire
from jobs.systems.eclipse.address import AddressStep
from jobs.systems.eclipse.challenge import PASSWORD, PKI, Challenge
from jobs.systems.eclipse.customer import PAYLOAD, CustomerStep, marks, marks_of, same_identity
from jobs.systems.eclipse.decision import DecisionStep
from jobs.systems.eclipse.dialect import DIALECT
from jobs.systems.eclipse.document import TYPES, DocumentStep
from jobs.systems.eclipse.examination import examine
from jobs.systems.eclipse.wallet import EXACTLY, FIRST_ALLOWED, WalletStep
from jobs.systems.jwt import claims_of
from jobs.systems.messages import CallClass, Reader, Reply, Request, Token
from jobs.systems.optional import Check, Newest
from jobs.systems.retry_after import http_date
from jobs.systems.row import Row
from jobs.systems.sighting import Comparison, Listed, Profile, Sighting
from jobs.value import value
from schemas.currencies import CURRENCIES

CAPABILITIES = Capabilities(
    title="Eclipse Conductor",
    creates_customers=True,
    idempotency_key="externalUniqueId",
    lookups=("phone", "identity", "name", "reference", "customer-id"),
    steps=("customer", "kyc", "wallet"),
    documented_limit="60 mutating calls per 180 s and IP for the ONBOARDING credential; others set by tenant",
    decision="KYC: PASSED, FAILED or PENDING, learnt by polling every 30-60 s",
    lists_customers=True,
    listing_spares=True,
    reads=Reads(searching=2, sending=2, back=3),
    profiles=True,
    plain=frozenset({"customerId", "externalUniqueId", "userTypeId", "walletId", "walletTypeId", "status", "created"})
    | {"lastModified", "version", "title", "currency"},
    wallets=True,
    decided={
        Outcome.ONBOARDED: frozenset({"PASSED"}),
        Outcome.ALREADY_ONBOARDED: frozenset({"PASSED"}),
        Outcome.DECLINED: frozenset({"FAILED"}),
    },
    active=frozenset({"ACTIVE"}),
    rights="use an operator credential (TENANT_SYSTEM or LEVEL_nn) of this tenant",
    credential="identity and password, identity and private key, or a token",
    takes=frozenset({"identity", "token", "key"}),
    secrets={
        "identity": "the login name of an operator (TENANT_SYSTEM or LEVEL_nn); for `muster register` of ONBOARDING",
        "private_key": "the RSA key of a login without a password (`login` is `pki`), PEM",
    },
)

ONBOARDING_LIMIT = Rate(60, 180.0)
"""The vendor: "a maximum of 60 mutating requests (POST, PUT, DELETE) per 180 seconds per IP address"."""

ASSUMED_LIFE_SECONDS = 900.0
"""Used only when a login gives no expiry; 15 minutes is the shorter of the two lifetimes seen."""

COMPARED = ("first_name", "last_name", "phone", "email", "national_id")


@value
class EclipseSettings:
    """`[eclipse]` in muster.toml."""

    prefix: str = "eclipse-conductor"
    """Path prefix; white-label installations have another."""
    user_type_id: int = 1
    """Meaning is the tenant's own configuration; 1 is the vendor's example."""
    wallet_type_id: str | None = None
    """The wallet types to create, joined by `;`; None: as the policy says."""
    wallet_policy: str = FIRST_ALLOWED
    """For rows for which no type is named: `first_allowed`, or `exactly`: then they get none (`not_eligible`)."""
    currency: str = "ZAR"
    """The ISO 4217 code of the wallets: one for all, or as many as wallet types, joined by `;`."""
    document_bytes: int = MOST_BYTES
    """Largest document, as a file (chosen; no page says)."""
    kyc_type: str | None = None
    """`NORMAL` or `COMPARISON`; None: the target's own default."""
    checks: str | None = None
    """The checks to run, joined by commas; None: the target's default set."""
    onboarding_uploads: bool = False
    """Whether `muster register` uploads a row's documents itself, before the login exists, and not the customer."""
    onboarding_updates: bool = False
    """Whether `muster register` sends a corrected row's data to a customer that has no login yet (PUT, assumed)."""
    login: str = PASSWORD
    """How muster logs in: `password`, or `pki`: a challenge that is signed with MUSTER_PRIVATE_KEY."""
    challenge_operation: str = "login-challenge"
    """Last part of the path that gives a challenge (chosen, like the next two; no page has them)."""
    challenge_member: str = "challenge"
    """The member of its answer that is signed."""
    signature_member: str = "signature"
    """The member of the login that carries the signature."""


SETTINGS = EclipseSettings

ONBOARDING = "ONBOARDING"
"""The position of self-registration: create, read and update new customers, create attachments, and no more."""


def system(setup: Setup, settings: EclipseSettings) -> "Eclipse":
    """Eclipse Conductor for one tenant. Raises Unusable."""
    if settings.login not in (PASSWORD, PKI):
        raise Unusable(f"[eclipse] login: {settings.login[:40]!r} is neither {PASSWORD} nor {PKI}")
    if settings.wallet_policy not in (FIRST_ALLOWED, EXACTLY):
        raise Unusable(f"[eclipse] wallet_policy: {settings.wallet_policy[:40]!r} is neither first_allowed nor exactly")
    currencies, types = settings.currency.split(";"), (settings.wallet_type_id or "").split(";")
    for code in currencies:
        if code not in CURRENCIES:
            raise Unusable(f"[eclipse] currency: {code[:20]!r} is not an ISO 4217 code")
    if len(currencies) not in (1, len(types)) or len(set(types)) < len(types):
        raise Unusable("[eclipse] wallet_type_id and currency: different types, and one currency for all or for each")
    found = Eclipse(setup.tenant, setup.keys, settings, setup.files)
    found.customer_of = setup.customer_of
    return found


class Eclipse(Defaults):
    """Eclipse Conductor for one tenant."""

    capabilities = CAPABILITIES
    dialect = DIALECT
    redecided, passed, refused = "kyc", "PASSED", "FAILED"

    def __init__(
        self, tenant: str, keys: KeySpace, settings: EclipseSettings | None = None, files: Path | None = None
    ) -> None:
        self.settings = settings or EclipseSettings()
        self.customer_of: Callable[[str], str | None] = lambda _: None
        self.root = f"/{self.settings.prefix}/rest/v1"
        self.tenant_path = f"{self.root}/tenants/{wire.segment(tenant)}"
        given = self.settings
        self.challenges = Challenge(
            f"{self.root}/authentication", given.challenge_operation, given.challenge_member, given.signature_member
        )
        self.customer = CustomerStep(self.tenant_path, keys, self.settings.user_type_id)
        self.papers = papers(self.tenant_path, files or Path(), self.settings.document_bytes)
        checks = tuple(self.settings.checks.split(",")) if self.settings.checks else ()
        self.decision = DecisionStep(self.tenant_path, self.settings.kyc_type, checks)
        self.wallet = WalletStep(
            self.tenant_path,
            keys,
            self.settings.currency,
            self.settings.wallet_type_id,
            self.settings.wallet_policy,
        )
        self.steps: tuple[Step, ...] = (self.customer, *self.papers, self.decision, self.wallet)
        self.later_columns = frozenset({"wallet_type_id", "currency", "address_line1", *TYPES})

    def steps_of(self, row: Row) -> Sequence[Step]:
        """Address and documents where the row has them, before KYC; a wallet for each type that is asked for."""
        wanted = [step for step in self.papers if step.wanted(row)]
        return (self.customer, *wanted, self.decision, self.wallet, *self.wallet.further(row))

    async def newest(self, reader: Reader, customer_id: str) -> Newest:
        """The newest KYC result."""
        return await self.decision.newest(reader, customer_id)

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """What `examination` finds out about target and credential."""
        return await examine(reader, self.tenant_path)

    def login(self, identity: str, password: str) -> Request:
        """POST /authentication/login."""
        return self._authentication("login", {"identity": identity, "password": password})

    def challenge(self, identity: str) -> Request | None:
        """POST /authentication/login-challenge, where muster logs in with a key."""
        return self.challenges.fetch(identity) if self.settings.login == PKI else None

    def answer(self, identity: str, reply: Reply, private_key: str) -> Request:
        """POST /authentication/login with the signature."""
        return self.challenges.answer(identity, reply, private_key)

    def renewal(self, token: Token) -> Request | None:
        """POST /authentication/renew with the current token, without its scheme."""
        return self._authentication("renew", {"jwt": token.header_value.removeprefix("Bearer ")})

    def _authentication(self, operation: str, body: Mapping[str, str]) -> Request:
        path = f"{self.root}/authentication/{operation}"
        return Request(operation, "POST", path, body=orjson.dumps(body), call_class=CallClass.LOGIN)

    def token_of(self, reply: Reply) -> Token:
        """`headerName`, `headerValue` verbatim, life from `expiresEpochSecs` against the server's own clock."""
        hint = "check MUSTER_IDENTITY and MUSTER_PASSWORD"
        record = DIALECT.granted(reply, "login refused: {words} (HTTP {status})", hint)
        name, value = wire.text_of(record, "headerName"), wire.text_of(record, "headerValue")
        if not name or not value or not (name + value).isprintable() or not (name + value).isascii():
            raise ValueError("the login reply has no usable headerName and headerValue")
        csrf = wire.text_of(record, "csrfHeaderName"), wire.text_of(record, "csrfToken")
        claims = claims_of(value)
        return Token(
            header_name=name,
            header_value=value,
            life_seconds=life_seconds(record, reply),
            tenant=wire.text_of(record, "tenantId") or wire.text_of(claims, "tenant"),
            positions=positions_of(record, claims),
            renewal={csrf[0]: csrf[1]} if csrf[0] and csrf[1] else {},
        )

    def given(self, token: str) -> Token:
        """A bearer, whose tenant is the `tenant` claim of the JWT, unverified."""
        return Token.bearer(token, tenant=wire.text_of(claims_of(token), "tenant"))

    def admit(self, positions: frozenset[str]) -> None:
        """ONBOARDING, which can hold no other right, makes customers that it could then do nothing for."""
        if positions == {ONBOARDING}:
            raise NotPermitted(
                f"the credential has the position {ONBOARDING}, which registers customers and may do nothing else",
                hint="use an operator's credential (TENANT_SYSTEM or LEVEL_nn); or register: muster register INPUT",
            )

    def limits(self, positions: frozenset[str]) -> Mapping[CallClass, Rate]:
        """The documented limit of the ONBOARDING position; other thresholds are the tenant's own."""
        return {CallClass.WRITE: ONBOARDING_LIMIT} if ONBOARDING in positions else {}

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """Profile, newest KYC result and wallets of the row's customer, read afresh.

        Without a known customer id the identity number leads: several holders are all returned.
        """
        profiles = [listed.record] if listed is not None else await self._profiles(reader, row, facts)
        ids = [str(wire.identifier(profile.get("customerId"))) for profile in profiles]
        if len(profiles) != 1:
            return Sighting(ids)
        profile, customer_id = profiles[0], ids[0]
        newest = await self.decision.newest(reader, customer_id)
        wallets = await shown.wallets(reader, self.tenant_path, customer_id)
        return Sighting(
            customer_ids=ids,
            comparisons=[compared(column, row, profile) for column in COMPARED],
            decision_status=newest.status,
            wallet_ids=None
            if wallets is None
            else [found for wallet in wallets if (found := wire.identifier(wallet.get("walletId")))],
            customer_status=wire.text_of(profile, "status"),
        )

    async def _profiles(self, reader: Reader, row: Row, facts: Mapping[str, str]) -> list[Mapping[str, Any]]:
        if known := facts.get("customer_id"):
            profile = await shown.profile(reader, self.tenant_path, known)
            return [profile] if profile is not None else []
        holders = await self.customer.holders(reader, row)
        same = [record for record in holders if same_identity(row, record)]
        return [
            await shown.profile(reader, self.tenant_path, str(wire.identifier(record.get("customerId")))) or record
            for record in same
        ]

    async def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """GET /customers without a filter."""
        async for page in wire.listing(reader, self.customer.everybody()):
            yield [
                Listed(
                    customer_id=str(wire.identifier(record.get("customerId"))),
                    key=wire.text_of(record, "externalUniqueId"),
                    created=wire.moment_of(record.get("created")),
                    record=record,
                    marks=marks_of(record),
                )
                for record in page
            ]

    def marks(self, row: Row) -> frozenset[str]:
        """By identity number and phone."""
        return marks(row.get("national_id"), row.get("phone"))

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """What `lookup.find` finds."""
        if reference := wanted.get("reference"):
            return await lookup.find_ours(reader, self.customer, reference, self.customer_of(reference))
        return await lookup.find(reader, self.customer, wanted)

    async def profile(self, reader: Reader, customer_id: str) -> Profile | None:
        """What `lookup.profile_of` reads."""
        return await lookup.profile_of(reader, self.customer, customer_id)


def papers(tenant_path: str, folder: Path, most_bytes: int) -> tuple[AddressStep | DocumentStep, ...]:
    """What a row may bring along before its KYC. `folder`: where its documents lie."""
    documents = [DocumentStep(tenant_path, column, folder, most_bytes) for column in TYPES]
    return (AddressStep(tenant_path), *documents)


def compared(column: str, row: Row, profile: Mapping[str, Any]) -> Comparison:
    """One field, the target's phone spelling normalised first."""
    ours, theirs = row.get(column), wire.text_of(profile, PAYLOAD[column])
    if column == "phone" and folded.same_digits(ours, theirs):
        theirs = ours
    return Comparison(column, ours, theirs, masking.of_column(column))


def life_seconds(record: Mapping[str, Any], reply: Reply) -> float:
    """Seconds from the reply to `expiresEpochSecs`, by the server's Date where it sent one: our clock may be wrong."""
    expires = record.get("expiresEpochSecs")
    if isinstance(expires, bool) or not isinstance(expires, (int, float)):
        return ASSUMED_LIFE_SECONDS
    base = http_date(reply.headers.get("date", "")) or reply.received_at
    return max(0.0, float(expires) - base.timestamp())


def positions_of(record: Mapping[str, Any], claims: Mapping[str, Any]) -> frozenset[str]:
    """The credential's positions, from `roles` in the reply or `pos` in the token."""
    listed = [record.get("roles"), claims.get("pos")]
    return frozenset(item for items in listed if isinstance(items, list) for item in items if isinstance(item, str))
