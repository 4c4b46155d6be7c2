"""SIX bLink as a system: settings, capabilities, consent, and the reads of reconciliation and look-up."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jobs.errors import Unusable
from jobs.systems.blink import wire
from jobs.systems.blink.address import AddressStep
from jobs.systems.blink.bank import MEDIA, SPELLINGS, Bank, Record, persons_of
from jobs.systems.blink.contact import ContactStep
from jobs.systems.blink.export import WHAT, exported, profile_of
from jobs.systems.blink.link import LinkStep
from jobs.systems.blink.place import ADDRESS, SECOND, SECOND_ADDRESS, USE, wanted_of
from jobs.systems.blink.second_address import SecondAddressStep
from jobs.systems.blink.sighting import addresses_of, all_of, contacts_of
from jobs.systems.blink.wire import NotOffered
from jobs.systems.contract import Capabilities, Setup, Step
from jobs.systems.defaults import Defaults
from jobs.systems.json_reply import text_of
from jobs.systems.messages import CallClass, Certificate, Reader, ReadFailed, Reply, Request, Token
from jobs.systems.optional import Check
from jobs.systems.row import Row
from jobs.systems.sighting import Listed, Profile, Sighting
from jobs.transport.address import checked_base_url
from jobs.value import value

CAPABILITIES = Capabilities(
    title="SIX bLink",
    creates_customers=False,
    idempotency_key=None,
    lookups=("customer-id", "reference"),
    steps=("link", *(f"contact_{column}" for column in MEDIA), "address", "address_use", "second_address"),
    documented_limit="none published",
    decision=None,
    plain=frozenset(
        {
            "customerId",
            "status",
            "customerIdentification",
            "externalReference",
            "personIdentification",
            "personRelation",
        }
        | {
            "personType",
            "addressIdentification",
            "contactIdentification",
            "medium",
            "contactMediumType",
            "dispatchType",
        }
    ),
    profiles=True,
    exports=WHAT,
    full="persons and KYC records",
    lists_customers=True,
    listing_spares=True,
    active=frozenset({"ACTIVE"}),
    credential="client id and refresh token, an access token, or a stored consent (permission_id)",
    takes=frozenset({"identity", "token", "nothing"}),
    secrets={
        "identity": "the client id of the service user",
        "password": "the refresh token of the consent; give it as a file, which its successor is written to",
        "token": "an access token, in the place of both; it is not renewed",
    },
)

ASSUMED_LIFE_SECONDS = 300.0
"""Used only when a grant gives no `expires_in` (chosen)."""

LONGEST_USERNAME = 64


@value
class BlinkSettings:
    """`[blink]` in muster.toml. Empty texts are not sent."""

    auth_base_url: str = ""
    """Where the consent module listens; empty: at the base URL."""
    token_path: str = "/consent-flow/v2/oauth/token"  # noqa: S105 - a path
    """Where the consent module gives access tokens."""
    redirect_uri: str = ""
    """`redirect_uri` of a grant; empty: not sent."""
    username: str = ""
    """`username` of a grant, up to 64 characters; empty: not sent."""
    permission_id: str = ""
    """The stored consent, where SIX keeps the tokens (CaaS)."""
    certificate: str = ""
    """PEM file of our certificate and its chain, for mutual TLS."""
    certificate_key: str = ""
    """PEM file of its key, without a pass phrase."""
    ca_file: str = ""
    """PEM file of the roots that the target is verified with; empty: the usual ones."""
    addresses_path: str = "seed"
    """`seed`: addresses are read and changed at /customer/…, as SIX's page prints; `plural`: at /customers/…"""
    contact_type: str = "private"
    """`private` or `business`: the type of contacts that are made."""
    settle_seconds: float = 60.0
    """How long a bank may need to show what it took, as SIX's reference advises."""
    healthcheck: bool = True
    """Whether the bank is asked for its health before the first row."""


SETTINGS = BlinkSettings


def system(setup: Setup, settings: BlinkSettings) -> "Blink":
    """One bank behind bLink. Raises Unusable."""
    if settings.addresses_path not in SPELLINGS:
        raise Unusable("[blink] addresses_path: 'seed' or 'plural'")
    if settings.contact_type not in {"private", "business"}:
        raise Unusable("[blink] contact_type: 'private' or 'business'")
    if bool(settings.certificate) is not bool(settings.certificate_key):
        raise Unusable("[blink] certificate and certificate_key are given together or not at all")
    if len(settings.username) > LONGEST_USERNAME:
        raise Unusable("[blink] username has more than 64 characters")
    if not settings.token_path.startswith("/"):
        raise Unusable("[blink] token_path begins with /")
    if settings.auth_base_url:
        try:
            checked_base_url(settings.auth_base_url)
        except Unusable as error:
            raise Unusable(error.message.replace("--base-url", "[blink] auth_base_url")) from None
    return Blink(setup.tenant, settings, full=setup.full)


class Blink(Defaults):
    """One bank behind bLink: its provider id is the tenant."""

    capabilities = CAPABILITIES
    dialect = wire.DIALECT
    later_columns = frozenset(
        {"bank_person_id", *ADDRESS, *(SECOND + column for column in SECOND_ADDRESS)}
        | {column + more for column in MEDIA for more in ("", "_type", "_information")}
    )

    def __init__(self, provider: str, settings: BlinkSettings | None = None, *, full: bool = False) -> None:
        self.settings, self.full = settings or BlinkSettings(), full
        self.provider, self.certificate = provider, certificate_of(self.settings)
        self.bank = Bank(self.settings.addresses_path, healthcheck=self.settings.healthcheck)
        settle, kind = self.settings.settle_seconds, self.settings.contact_type
        self.link = LinkStep(self.bank)
        self.contacts = tuple(ContactStep(self.bank, column, kind, settle) for column in MEDIA)
        self.address = AddressStep(self.bank, settle)
        self.use = AddressStep(self.bank, settle, "address_use", use=True)
        self.second = SecondAddressStep(self.bank, settle)
        self.steps: tuple[Step, ...] = (self.link, *self.contacts, self.address, self.use, self.second)

    def steps_of(self, row: Row) -> Sequence[Step]:
        """The link, and what the row gives a value for."""
        contacts = [step for step in self.contacts if row.get(step.column)]
        address = [self.address] if wanted_of(row) else []
        use = [self.use] if any(row.get(column) for column in USE) else []
        return (self.link, *contacts, *address, *use, *([self.second] if wanted_of(row, SECOND) else []))

    def login(self, identity: str, password: str) -> Request:
        """The grant of an access token for the stored refresh token, form-encoded; the certificate names the client."""
        form = {"grant_type": "refresh_token", "refresh_token": password, "client_id": identity}
        form |= {"redirect_uri": self.settings.redirect_uri, "username": self.settings.username}
        return Request(
            "login",
            "POST",
            self.settings.token_path,
            body=urlencode({name: value for name, value in form.items() if value}).encode(),
            call_class=CallClass.LOGIN,
            headers=(("content-type", "application/x-www-form-urlencoded"),),
            base_url=self.settings.auth_base_url or None,
            described=b"grant_type=refresh_token",
        )

    def token_of(self, reply: Reply) -> Token:
        """The access token, and the refresh token that takes the place of the used one."""
        hint = "a person has to renew the consent at the bank and store its refresh token; "
        hint += "or check MUSTER_IDENTITY (the client id) and the certificate"
        record = self.dialect.granted(reply, "the consent has expired: {words}", hint)
        access = text_of(record, "access_token")
        if access is None:
            raise ValueError("the grant has no access_token")
        life = text_of(record, "expires_in") or ""
        seconds = float(life) if life.isascii() and life.isdigit() else ASSUMED_LIFE_SECONDS
        return bearer(access, seconds, text_of(record, "refresh_token"))

    def given(self, token: str) -> Token:
        """A bearer; an empty token stands for the stored consent. Raises Unusable when there is none."""
        if token:
            return bearer(token)
        if not self.settings.permission_id:
            raise Unusable(
                "no credential for blink: it takes a refresh token, an access token or a stored consent",
                hint="set MUSTER_IDENTITY (client id) and MUSTER_PASSWORD (refresh token), or MUSTER_TOKEN, "
                "or permission_id in [blink]",
            )
        return Token("", "", float("inf"), None)

    def headers(self, fresh_id: Callable[[], str]) -> Mapping[str, str]:
        """The headers that bLink demands of every call; `AUTO` says that no person sits in front of it."""
        headers = {
            "x-correlation-id": fresh_id(),
            "x-corapi-target-id": self.provider,
            "x-psu-ip-address": "AUTO",
            "x-psu-user-agent": "AUTO",
        }
        return headers | ({"permission-id": self.settings.permission_id} if self.settings.permission_id else {})

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """Health and the first page of customers."""
        await self.bank.ready(reader)
        try:
            async for page in wire.pages(reader, "list_customers", "/customers"):
                advice = None if page else "ask whether consent was granted for any customer of this bank"
                return [Check("customers", bool(page) or None, f"{len(page)} on the first page", advice)]
        except NotOffered:
            pass
        return [Check("customers", None, "the bank lists none; rows need bank_customer_id")]

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """Customer, contacts and address, read afresh. A row that was linked to nobody leads to nobody.

        Without the row's values nobody can tell which person and which contact was meant: an active customer is then
        no match, and raises ReadFailed.
        """
        known = facts.get("customer_id")
        if known is None:
            return Sighting(())
        customer = listed.record if listed is not None else await self.bank.customer(reader, known)
        if customer is None:
            return Sighting(())
        status = text_of(customer, "status")
        if not row.values and (status or "").casefold() == "active":
            raise ReadFailed("the row's values are not at hand, so its contacts and address can't be compared")
        if len(persons := persons_of(customer)) == 1:
            facts = {"bank_person_id": persons[0], **facts}
        contacts = await contacts_of(self.bank, reader, row, facts)
        compared = [*contacts, *await addresses_of(self.bank, reader, row, customer)]
        if self.full:
            compared += await all_of(self.bank, reader, row, known)
        return Sighting((known,), compared, customer_status=status)

    async def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """GET /customers; the bank's customers carry no key of ours, and the time of our link is nowhere."""
        async for page in wire.pages(reader, "list_customers", "/customers"):
            yield [
                Listed(found, None, None, record)
                for record in page
                if (found := wire.id_of(record, "customerIdentification"))
            ]

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Customers by `customer_id` or `reference`; no names are shown."""
        if customer_id := wanted.get("customer_id"):
            found = await self.bank.customer(reader, customer_id)
            return [] if found is None else [shown_of(found)]
        if reference := wanted.get("reference"):
            directory = await self.bank.directory(reader)
            return [shown_of(customer) for customer in directory.referred(reference)]
        raise Unusable("bLink finds customers by their id or reference only", hint="give --customer-id or --reference")

    async def profile(self, reader: Reader, customer_id: str) -> Profile | None:
        """Customer, persons with contacts, address and KYC record."""
        return await profile_of(self.bank, reader, customer_id)

    def export(self, reader: Reader, what: str) -> AsyncIterator[Mapping[str, Any]]:
        """The bank's records of one kind of WHAT."""
        return exported(self.bank, reader, what)


def certificate_of(settings: BlinkSettings) -> Certificate | None:
    """The files of the settings; None when they name none."""
    names = (settings.certificate, settings.certificate_key, settings.ca_file)
    chain, key, roots = (Path(name) if name else None for name in names)
    return Certificate(chain, key, (roots,) if roots else ()) if any(names) else None


def bearer(token: str, life_seconds: float = inf, successor: str | None = None) -> Token:
    """An access token as it is presented. Raises ValueError when it can't be a header."""
    if not token.isascii() or not token.isprintable():
        raise ValueError("the token can't be sent")
    return Token.bearer(token, life_seconds, successor=successor)


def shown_of(customer: Record) -> dict[str, str]:
    """What a look-up shows of a customer."""
    members = {"customerId": "customerIdentification", "status": "status", "externalReference": "externalReference"}
    return {name: text for name, member in members.items() if (text := text_of(customer, member))}
