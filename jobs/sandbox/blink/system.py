"""SIX bLink's Customer Management in memory, after the page of that name and the OpenWealth specification it follows.

No call creates a customer: the bank's customers are there from the start or are planted. A last name that ends in
`Refused`, in any case, has its contacts and addresses refused.
"""

import base64
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jobs.sandbox.bench import Bench
from jobs.sandbox.blink.access import LONGEST_CORRELATION, Tokens, check_headers
from jobs.sandbox.blink.forms import Refused, body, changed_address, contact, new_address
from jobs.sandbox.blink.records import Customer, Person, Records, customer_view, person_view, reachable
from jobs.sandbox.blink.routes import OPERATIONS, ROUTES, SPELLINGS, TOKEN, no_route, path, shape
from jobs.sandbox.call import Call, Subject
from jobs.sandbox.clock import iso
from jobs.sandbox.listing import ORDERS, in_order, rank
from jobs.sandbox.reply import Headers, Reply, empty_reply, json_reply
from jobs.sandbox.settings import Settings
from jobs.sandbox.switches import one_of, read

Record = TypeVar("Record", Customer, Person)

KINDS = {
    400: "invalidPayload",
    401: "expiredToken",
    403: "insufficientPrivileges",
    404: "resourceDoesNotExist",
    405: "wrongMethod",
    413: "resourceTooLarge",
    501: "notImplemented",
    503: "serviceUnavailable",
}
"""The type of problem for each status when nothing more is known; technicalError for all others."""


@dataclass(frozen=True, slots=True)
class Switches:
    """The switches of `{"blink": {...}}`; see docs/sandbox.md."""

    customers: int = 40
    client_id: str = "muster"
    refresh_token: str = field(default="blink-refresh", repr=False)
    rotate_refresh: bool = True
    refuse_refresh: bool = False
    caas: bool = False
    permission_id: str = "00000000-0000-4000-8000-000000000001"
    page_size: int = 20
    cursor_header: str = one_of("nextCursor", "X-Next-Cursor")
    cursor_end: str = one_of("absent", "empty")
    cursor_loop: bool = False
    addresses_path: str = one_of("both", "seed", "plural")
    address_shown: str = one_of("oldest", "newest")
    offers: tuple[str, ...] = OPERATIONS
    not_offered: str = one_of("501", "405")
    lag_reads: int = 0
    list_order: str = one_of(*ORDERS)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.offers) - set(OPERATIONS))
        if unknown:
            raise ValueError(f"offers: no operation {unknown[0]!r}; known: {', '.join(OPERATIONS)}")
        if self.page_size < 1:
            raise ValueError("page_size must be at least 1")


class Blink:
    """bLink below `/blink`."""

    name = "blink"
    prefix = "/blink"
    base_path = "/blink"

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        bench.checks.append(_switches)
        self.reset()

    def reset(self) -> None:
        """Forgets everything; reads the settings again and invents the customers of the start."""
        self._records = Records(self._bench.settings.seed, self._on.customers)
        self._tokens = Tokens()
        self._chance = random.Random(f"{self._bench.settings.seed}|blink|order")  # noqa: S311 - repeatable

    @property
    def _on(self) -> Switches:
        return _switches(self._bench.settings)

    def identify(self, call: Call) -> Subject:
        """Operation, credential and the customer or person in the path; only one that is there is named."""
        operation = "token" if path(call) == TOKEN else ROUTES.get(shape(call), "unknown")
        name = call.segments[1] if len(call.segments) > 1 else ""
        person = self._records.persons.get(name) if call.segments[0] == "persons" else None
        customer = self._records.customers.get(name) if call.segments[0] in ("customers", "customer") else None
        if customer and customer.persons:
            person = customer.persons[0]
        named = customer or person
        return Subject(
            operation=operation,
            credential=self._on.client_id if self._on.caas or self._tokens.issued(call) else None,
            customer_id=named.identification if named else None,
            last_name=person.last_name if person else None,
        )

    def answer(self, call: Call) -> Reply:
        """Works on the call. The correlation id comes back, with errors too."""
        try:
            reply = self._perform(call)
        except Refused as refused:
            reply = _problem(refused, "/".join(("", *call.segments)))
        correlation = call.headers.get("x-correlation-id", "")
        fits = 0 < len(correlation) <= LONGEST_CORRELATION
        return reply.with_headers((("X-Correlation-ID", correlation),)) if fits else reply

    def error(self, status: int) -> Reply:
        """A refusal with `status` as a problem."""
        return _problem(Refused(status, KINDS.get(status, "technicalError"), "The sandbox was told to answer so"), "")

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids and states; no personal values."""
        return self._records.snapshot()

    def plant(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a customer past all rules."""
        return self._records.plant(record)

    def amend(self, kind: str, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes or deletes one of `customers`, `persons` or `contacts`."""
        return self._records.amend(kind, name, changes)

    def _perform(self, call: Call) -> Reply:
        on, now = self._on, self._bench.clock.now()
        if path(call) == TOKEN:
            return self._tokens.grant(call, on, now, self._bench.settings.token_seconds)
        operation = ROUTES.get(shape(call))
        if operation is None:
            raise no_route(call)
        check_headers(call.headers, caas=on.caas)
        self._tokens.check(call, on, now)
        if operation not in on.offers:
            status = int(on.not_offered)
            raise Refused(status, KINDS[status], "The bank does not offer this operation")
        if operation in ("get_address", "update_address") and call.segments[0] not in SPELLINGS[on.addresses_path]:
            raise no_route(call, besides={"get_address", "update_address"})
        return self._actions[operation](self, call)

    def _healthcheck(self, _: Call) -> Reply:
        return json_reply({"timestamp": iso(self._bench.clock.now()), "status": "OK"})

    def _list_customers(self, call: Call) -> Reply:
        rows, headers = self._page(call, filter(lambda each: each.consent, self._records.customers.values()))
        return json_reply([customer_view(each) for each in rows]).with_headers(headers)

    def _list_persons(self, call: Call) -> Reply:
        rows, headers = self._page(call, filter(reachable, self._records.persons.values()))
        return json_reply([person_view(each) for each in rows]).with_headers(headers)

    def _get_customer(self, call: Call) -> Reply:
        return json_reply(customer_view(self._named_customer(call)))

    def _get_kyc(self, call: Call) -> Reply:
        customer = self._named_customer(call)
        if customer.kyc is None:
            raise Refused(404, "resourceDoesNotExist", "The customer has no KYC record")
        return json_reply({"customer": customer_view(customer), "kyc": customer.kyc})

    def _get_person(self, call: Call) -> Reply:
        return json_reply(person_view(self._named_person(call)))

    def _list_contacts(self, call: Call) -> Reply:
        return json_reply(in_order(self._named_person(call).contacts.read(), self._on.list_order, self._chance))

    def _create_contact(self, call: Call) -> Reply:
        person = self._named_person(call)
        members = contact(body(call), vendor=self._bench.settings.vendor)
        _refuse_by_name([person])
        made = self._records.add_contact(person, members, self._on.lag_reads)
        call.commit(customer_id=person.identification)
        return json_reply(made, 201)

    def _create_address(self, call: Call) -> Reply:
        customer = self._named_customer(call)
        members = new_address(body(call), vendor=self._bench.settings.vendor)
        _refuse_by_name(customer.persons)
        number = self._records.add_address(customer, members, self._on.lag_reads)
        call.commit(customer_id=customer.identification)
        # A text here and a number where it is read, as the specification's samples have it.
        return json_reply({"addressIdentification": str(number)}, 201)

    def _get_address(self, call: Call) -> Reply:
        addresses = self._named_customer(call).addresses.read()
        if not addresses:
            raise Refused(404, "resourceDoesNotExist", "The customer has no address")
        return json_reply(addresses[0 if self._on.address_shown == "oldest" else -1])

    def _update_address(self, call: Call) -> Reply:
        customer = self._named_customer(call)
        name, members = changed_address(body(call), vendor=self._bench.settings.vendor)
        _refuse_by_name(customer.persons)
        addresses = list(customer.addresses.now)
        place = next((at for at, each in enumerate(addresses) if str(each["addressIdentification"]) == name), None)
        if place is None:
            raise Refused(404, "resourceDoesNotExist", "The customer has no such address")
        addresses[place] = {**members, "addressIdentification": addresses[place]["addressIdentification"]}
        customer.addresses.change(addresses, self._on.lag_reads)
        call.commit(customer_id=customer.identification)
        return empty_reply(204)

    _actions: Mapping[str, Callable[["Blink", Call], Reply]] = {
        "healthcheck": _healthcheck,
        "list_customers": _list_customers,
        "get_customer": _get_customer,
        "get_kyc": _get_kyc,
        "list_persons": _list_persons,
        "get_person": _get_person,
        "list_contacts": _list_contacts,
        "create_contact": _create_contact,
        "create_address": _create_address,
        "get_address": _get_address,
        "update_address": _update_address,
    }

    def _named_customer(self, call: Call) -> Customer:
        customer = self._records.customers.get(call.segments[1])
        if customer is None or not customer.consent:
            raise Refused(404, "resourceDoesNotExist", "There is no such customer, or no consent for it")
        return customer

    def _named_person(self, call: Call) -> Person:
        person = self._records.persons.get(call.segments[1])
        if person is None or not reachable(person):
            raise Refused(404, "resourceDoesNotExist", "There is no such person, or no consent for it")
        return person

    def _page(self, call: Call, records: Iterable[Record]) -> tuple[list[Record], Headers]:
        """The records behind the cursor, and the header that leads on."""
        on, after = self._on, _after(call)
        places = {rank(each.serial, on.list_order): each for each in records}
        left = [places[place] for place in sorted(places) if place > after]
        rows = left[: _limit(call, on.page_size)]
        if on.cursor_loop and "cursor" in call.query:
            return rows, ((on.cursor_header, call.query["cursor"]),)
        if len(left) > len(rows):
            last = rank(rows[-1].serial, on.list_order)
            return rows, ((on.cursor_header, base64.urlsafe_b64encode(f"after {last}".encode()).decode()),)
        return rows, ((on.cursor_header, ""),) if on.cursor_end == "empty" else ()


def _switches(settings: Settings) -> Switches:
    return read(Switches, settings.switches.get(Blink.name, {}))


def _after(call: Call) -> int:
    cursor = call.query.get("cursor", "")
    if not cursor:
        return 0
    try:
        word, _, serial = base64.b64decode(cursor, b"-_", validate=True).decode("ascii").partition(" ")
    except ValueError:
        word, serial = "", ""
    if word != "after" or not serial.isdigit() or len(serial) > 9:
        raise Refused(400, "invalidPayload", "cursor: is not one that was given out")
    return int(serial)


def _limit(call: Call, page_size: int) -> int:
    text = call.query.get("limit", str(page_size))
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise Refused(400, "invalidPayload", f"limit: '{text}' is not a number from 1")
    return min(int(text[:9]), page_size)


def _refuse_by_name(persons: Iterable[Person]) -> None:
    for person in persons:
        if person.last_name.lower().endswith("refused"):
            raise Refused(400, "invalidPayload", f"lastName: '{person.last_name}' is refused by the bank's rules")


def _problem(refused: Refused, instance: str) -> Reply:
    problem = {"type": refused.kind, "title": refused.kind, "detail": refused.detail, "instance": instance}
    headers = (("content-type", "application/problem+json"), ("content-language", "en"), *refused.headers)
    return json_reply({**problem, **refused.members}, refused.status).with_headers(headers)
