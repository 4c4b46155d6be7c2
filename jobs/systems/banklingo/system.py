"""BankLingo as a system: settings, capabilities, credential, and the reads of reconciliation and look-up."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace

from jobs import folded
from jobs.errors import Unusable
from jobs.model import Outcome, Rate
from jobs.privacy import masking
from jobs.systems.banklingo.approval import ApprovalStep
from jobs.systems.banklingo.contacts import Contact, Contacts
from jobs.systems.banklingo.customer import PAYLOAD, CustomerStep, Form
from jobs.systems.banklingo.dialect import DIALECT, QUERY_MEMBER, Envelope
from jobs.systems.banklingo.document import DOCUMENT_FORM, DocumentStep, checked_form, documents_of
from jobs.systems.banklingo.predicates import Predicates
from jobs.systems.banklingo.states import ACCEPTED, REFUSED, as_number, number_of, state_of
from jobs.systems.contract import Capabilities, Reads, Setup, Step
from jobs.systems.defaults import Defaults
from jobs.systems.messages import CallClass, Reader
from jobs.systems.optional import Check, Predicate
from jobs.systems.row import Row
from jobs.systems.sighting import Comparison, Listed, Sighting
from jobs.value import value
from schemas.banklingo import FURTHER

CAPABILITIES = Capabilities(
    title="BankLingo",
    creates_customers=True,
    idempotency_key=None,
    lookups=("email", "phone", "name", "customer-id"),
    steps=("customer", "document", "approval"),
    documented_limit="none; muster sends 2 commands per second",
    decision="approval by a person, read from the client's record where the create gave its number",
    lists_customers=True,
    reads=Reads(searching=1, sending=1, back=1),
    decided={
        Outcome.ONBOARDED: ACCEPTED,
        Outcome.ALREADY_ONBOARDED: ACCEPTED,
        Outcome.DECLINED: REFUSED,
    },
    plain=frozenset(
        {"customerId", "id", "customerNumber", "clientState", "clientStateDescription", "isBlacklisted", "dateCreated"}
        | {"lastModified", "customerType", "branchEncodedKey", "contactEncodedKey", "encodedKey"}
    ),
    status_members=("clientStateDescription",),
    credential="a token",
    secrets={"token": "the access token; for `muster decide` that of another person than who created the clients"},
    takes=frozenset({"token"}),
    commands=("approve", "reject", "blacklist", "undo-blacklist", "request-approval", "exit", "update"),
    predicates=True,
)

PACE = Rate(2, 1.0)
"""Chosen: the vendor publishes no limit."""

LISTED = ("first_name", "last_name", "email", "phone")
"""What a row of a list shows; the whole record shows all of PAYLOAD."""

SPELT = {
    name.lower(): name
    for name in (
        *PAYLOAD.values(),
        *("contactEncodedKey", "encodedKey", "customerNumber", "customerType", "clientState", "clientStateDescription"),
        *("isBlacklisted", "branchEncodedKey", "dateCreated", "lastModified"),
    )
}
"""The vendor's names by how replies are read."""


@value
class BankLingoSettings:
    """`[banklingo]` in muster.toml."""

    envelope: str = "commandName"
    """`cmd` where the installation names its messages so."""
    tenant_header: bool = True
    """Whether X-Tenant-Id carries the tenant; pages of other modules demand it."""
    branch: str = ""
    """branchEncodedKey of rows that name no branch; empty: none is sent."""
    phone_plus: bool = True
    """Whether phones are sent with a leading +, as in the vendor's samples."""
    await_decision: bool = True
    """Whether a row is complete only when its client is approved."""
    settle_seconds: float = 120.0
    """How long after an unanswered create "not there" is not believed (chosen)."""
    resend_unknown: bool = False
    """Whether an unanswered create of which reading shows no trace is sent once more."""
    exit_command: str = ""
    """The command that exits a client, which the vendor's page does not name; empty: clients are not exited."""
    document_command: str = ""
    """The command that takes a KYC document, which the page does not name; empty: rows with one are refused."""
    document_form: str = DOCUMENT_FORM
    """Its `data` as JSON: `{key}`, `{type}`, `{name}` and `{content}` (base64) stand for the client and the file."""
    predicate_form: str = ""
    """One predicate of a search as JSON, with `{field}`, `{operator}` and `{value}`; empty: none can be asked for."""
    predicate_member: str = "predicates"
    """The member of the list query that holds the predicates (chosen)."""
    predicate_operators: str = "=,!=,>,<,~"
    """The target's words for these five operators, in this order."""
    strict_maker_checker: bool = False
    """Whether `muster decide` refuses clients of which this ledger does not know who created them."""


SETTINGS = BankLingoSettings


def system(setup: Setup, settings: BankLingoSettings) -> "BankLingo":
    """BankLingo for one tenant. Raises Unusable."""
    return BankLingo(setup, settings)


class BankLingo(Defaults):
    """BankLingo for one tenant: clients are created."""

    dialect = DIALECT
    later_columns = frozenset({"document_file", "document_type", "id_type", FURTHER})

    def __init__(self, setup: Setup, settings: BankLingoSettings) -> None:
        if settings.envelope not in QUERY_MEMBER:
            raise Unusable(f"[banklingo] envelope: {settings.envelope!r} is not one of {', '.join(QUERY_MEMBER)}")
        self.setup, self.settings = setup, settings
        self.envelope = Envelope(settings.envelope)
        self.contacts = Contacts(self.envelope)
        self.form = Form(settings.phone_plus, settings.branch)
        self.customer = CustomerStep(
            self.envelope,
            self.contacts,
            self.form,
            setup.credential,
            settings.settle_seconds,
            resends=1 if settings.resend_unknown else 0,
            refuses_documents=not settings.document_command,
        )
        self.document = DocumentStep(
            self.envelope,
            setup.files,
            settings.document_command,
            checked_form(settings.document_form),
            settings.settle_seconds,
        )
        self.predicates = Predicates.of(
            settings.predicate_form, settings.predicate_member, settings.predicate_operators
        )
        approval: tuple[Step, ...] = (ApprovalStep(self.contacts),) if settings.await_decision else ()
        self.steps: tuple[Step, ...] = (self.customer, self.document, *approval)
        self.capabilities = CAPABILITIES if settings.await_decision else replace(CAPABILITIES, decided={})

    def steps_of(self, row: Row) -> Sequence[Step]:
        """All steps, with one for each document of the row in the place of the first's."""
        documents = [replace(self.document, number=number) for number in documents_of(row)]
        return [each for step in self.steps for each in (documents if step is self.document else [step])]

    def headers(self, fresh_id: Callable[[], str]) -> Mapping[str, str]:
        """The tenant, where the settings say so."""
        return {"X-Tenant-Id": self.setup.tenant} if self.settings.tenant_header else {}

    def limits(self, positions: frozenset[str]) -> Mapping[CallClass, Rate]:
        """One for commands, which is chosen."""
        return {CallClass.WRITE: PACE}

    async def examine(self, reader: Reader) -> Sequence[Check]:
        """Whether clients are listed, and whether a search finds one of them. Raises ReadFailed, NotPermitted."""
        finds = await self.contacts.searchable(reader)
        checks = [Check("list of clients", True, "allowed")]
        if finds:
            return [*checks, Check("search", True, "finds clients by e-mail address, as far as there are any")]
        return [*checks, Check("search", None, "not usable: the whole list is read instead, once a run")]

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """The client's record where its number is known, else its row in the list, which shows no state.

        Without a known client the e-mail address and the phone lead: several clients are all returned.
        """
        found = await self._seen(reader, row, facts, listed)
        if len(found) != 1:
            return Sighting([each.key for each in found])
        return self.shown(row, found[0])

    def shown(self, row: Row, contact: Contact) -> Sighting:
        """What one client shows of `row`."""
        whole = contact.get("clientStateDescription") is not None
        return Sighting(
            customer_ids=[contact.key],
            comparisons=[self.compared(column, row, contact) for column in (PAYLOAD if whole else LISTED)],
            decision_status=state_of(contact) if whole else None,
        )

    async def _seen(
        self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None
    ) -> Sequence[Contact]:
        known = facts.get("customer_id")
        number = None if known is None else self.contacts.numbers.get(known) or number_of(self.setup.known(known))
        if number is not None:
            record = await self.contacts.record(reader, number)
            return [record] if record is not None and known in (record.key, number) else []
        if listed is not None:
            return [Contact.of(listed.record)]
        email = row.get("email")
        same = await self.contacts.with_email(reader, email, anew=False) if email else []
        if known is None:
            return [each for each in same if each.has_phone(row.get("phone"))]
        everybody = {each.key: each for each in same}
        if known not in everybody:  # its e-mail address was changed, or it is gone
            everybody = dict((await self.contacts.index.reading(reader)).content.by_key)
        return [everybody[known]] if known in everybody else []

    def compared(self, column: str, row: Row, contact: Contact) -> Comparison:
        """One field, the target's spelling of phones and times normalised first."""
        ours, theirs = self.form.value(row, column), contact.get(PAYLOAD[column])
        if column == "phone" and folded.digits(ours or "") == folded.digits(theirs or ""):
            theirs = ours
        if column == "date_of_birth" and theirs:
            theirs = theirs[:10]
        return Comparison(column, ours, theirs, masking.of_column(column))

    async def listing(self, reader: Reader) -> AsyncIterator[Sequence[Listed]]:
        """All clients; the list does not say when they were created."""
        async for page in self.contacts.scan(reader, None):
            yield [Listed(each.key, None, None, each.members, marks(each.email)) for each in page]

    def marks(self, row: Row) -> frozenset[str]:
        """By e-mail address."""
        return marks(row.get("email"))

    async def find(self, reader: Reader, wanted: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
        """Clients by `customer_id` (key or number), `email`, `phone`, or `first_name` and/or `last_name`."""
        if known := wanted.get("customer_id"):
            if (number := as_number(known)) and (record := await self.contacts.record(reader, number)):
                return [flat(record)]
            return [flat(each) for each in await self._all(reader) if each.key == known]
        if email := wanted.get("email"):
            return [flat(each) for each in await self.contacts.with_email(reader, email, anew=False)]
        return [flat(each) for each in await self._all(reader) if fits(each, wanted)]

    async def search(self, reader: Reader, predicates: Sequence[Predicate]) -> Sequence[Mapping[str, str]]:
        """Clients that the target finds by `predicates`, as far as what a list shows agrees."""
        found = await self.predicates.found(reader, self.contacts, predicates)
        return [flat(each) for each in found]

    async def _all(self, reader: Reader) -> Sequence[Contact]:
        return list((await self.contacts.index.reading(reader)).content.by_key.values())


def marks(email: str | None) -> frozenset[str]:
    """What two clients who have one e-mail address have in common."""
    return frozenset({f"e{folded.email(email)}"} if email else ())


def fits(contact: Contact, wanted: Mapping[str, str]) -> bool:
    """Whether a client has the phone, or the names, that were asked for; what a search looks through is not known."""
    if phone := wanted.get("phone"):
        return contact.has_phone(phone)
    names = {name: wanted[name] for name in ("first_name", "last_name") if wanted.get(name)}
    return bool(names) and all(
        (contact.get(PAYLOAD[name]) or "").casefold() == value.casefold() for name, value in names.items()
    )


def flat(contact: Contact) -> dict[str, str]:
    """A client's plain values as text, in the vendor's spelling as far as it is known; its key is `customerId` too."""
    texts = {SPELT.get(name, name): text for name in contact.members if (text := contact.get(name)) is not None}
    return {"customerId": contact.key, **texts}
