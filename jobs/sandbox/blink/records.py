"""The bank's records behind bLink: customers, persons, contacts, addresses; planting them past all rules.

Nothing here knows calls or consents of callers. Identifiers are kept as they were given: a string or a number.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Identifier = str | int
Members = dict[str, Any]

STATUSES = ("active", "inactive", "closed")
GIVEN = ("Anna", "Luca", "Mia", "Noah", "Lea", "Elias", "Sofia", "Jan")
LAST = ("Meier", "Keller", "Rossi", "Favre", "Huber", "Brunner", "Baumann", "Gerber")
TOWNS = (("8001", "Zürich"), ("3011", "Bern"), ("4051", "Basel"), ("1204", "Genève"), ("6900", "Lugano"))
"""What the customers of the start are made from (chosen)."""


class Lagged:
    """A list whose change is seen only after some reads, as with a bank that works behind a hub."""

    def __init__(self, now: Sequence[Members] = ()) -> None:
        self.now = tuple(now)
        self._seen: tuple[Members, ...] = ()
        self._reads = 0

    def change(self, now: Sequence[Members], reads: int) -> None:
        """From now on it is `now`; the next `reads` reads still find what is found at this moment."""
        if not self._reads:
            self._seen = self.now
        self.now, self._reads = tuple(now), reads

    def read(self) -> tuple[Members, ...]:
        """What a client finds; uses up one read of the lag."""
        if self._reads:
            self._reads -= 1
            return self._seen
        return self.now


@dataclass(slots=True, eq=False)
class Person:
    """A natural person. `serial` gives the order of lists."""

    identification: Identifier
    serial: int
    fields: Members = field(repr=False)
    """`givenName`, `lastName` and perhaps `externalReference`."""
    contacts: Lagged = field(default_factory=Lagged)
    customers: list["Customer"] = field(default_factory=list, repr=False)

    @property
    def last_name(self) -> str:
        """Chooses the scenario."""
        return str(self.fields["lastName"])


@dataclass(slots=True, eq=False)
class Customer:
    """A contract with the bank. Without `consent` it is not shown to a client of bLink."""

    identification: Identifier
    serial: int
    fields: Members = field(repr=False)
    """`name`, `status` and perhaps `externalReference`."""
    consent: bool
    persons: list[Person] = field(repr=False)
    kyc: Members | None = field(repr=False)
    """Its KYC record; None: the bank has none."""
    addresses: Lagged = field(default_factory=Lagged)


class Records:
    """All records, oldest first. Identifiers are looked up as text."""

    def __init__(self, seed: int, customers: int) -> None:
        self._random = random.Random(f"{seed}|blink")  # noqa: S311 - repeatable on purpose
        self._number = self._random.randrange(7_000, 8_000)
        self._serial = 0
        self.customers: dict[str, Customer] = {}
        self.persons: dict[str, Person] = {}
        for number in range(1, customers + 1):
            self.plant(self._invented(number))

    def add_contact(self, person: Person, members: Members, lag: int = 0) -> Members:
        """Stores a contact and returns it with its new identification."""
        contact = {"contactIdentification": str(self._next()), **members}
        person.contacts.change((*person.contacts.now, contact), lag)
        return contact

    def add_address(self, customer: Customer, members: Members, lag: int = 0) -> int:
        """Stores an address and returns its new identification."""
        number = self._next()
        customer.addresses.change((*customer.addresses.now, {**members, "addressIdentification": number}), lag)
        return number

    def plant(self, record: Mapping[str, Any]) -> Members:
        """Stores a customer with its persons and addresses and returns the ids; ValueError when it can't be stored.

        A person whose `personIdentification` is there already is linked, not changed.
        """
        members = dict(record)
        identification = members.pop("customerIdentification", None) or f"C-{len(self.customers) + 1:04d}"
        if str(identification) in self.customers:
            raise ValueError("a customer with this customerIdentification exists")
        persons = [self._person(each) for each in members.pop("persons", ())]
        addresses, consent = members.pop("addresses", ()), bool(members.pop("consent", True))
        kyc = members.pop("kyc", {"nonFinancialSituation": {}, "financialSituation": {}})
        fields = {"name": "Planted", "status": _status(members.pop("status", "active")), **members}
        customer = Customer(identification, self._serial_number(), fields, consent, persons, kyc)
        self.customers[str(identification)] = customer
        for person in persons:
            person.customers.append(customer)
        return {
            "customerIdentification": identification,
            "persons": [person.identification for person in persons],
            "addresses": [self.add_address(customer, {"dispatchType": "postal", **each}) for each in addresses],
        }

    def amend(self, kind: str, name: str, changes: Mapping[str, Any]) -> Members:
        """Changes or deletes (`deleted`: true) one of `customers`, `persons` or `contacts`; KeyError: there is none."""
        members = dict(changes)
        deleted = bool(members.pop("deleted", False))
        if kind == "customers":
            self._amend_customer(self.customers[name], members, deleted)
        elif kind == "persons":
            self._amend_person(self.persons[name], members, deleted)
        elif kind == "contacts":
            self._amend_contact(name, members, deleted)
        else:
            raise KeyError(kind)
        return {"id": name, "deleted": deleted}

    def snapshot(self) -> Members:
        """Counts, ids and states; of contacts only a hash of their lower-cased content."""
        persons = self.persons.values()
        return {
            "counts": {
                "customers": len(self.customers),
                "persons": len(self.persons),
                "contacts": sum(len(person.contacts.now) for person in persons),
                "doubleContacts": sum(
                    len(person.contacts.now) - len({same(contact) for contact in person.contacts.now})
                    for person in persons
                ),
                "addresses": sum(len(customer.addresses.now) for customer in self.customers.values()),
            },
            "customers": [_shown_customer(customer) for customer in self.customers.values()],
            "persons": [
                {
                    "personIdentification": person.identification,
                    "contacts": [_shown_contact(contact) for contact in person.contacts.now],
                }
                for person in persons
            ],
        }

    def _amend_customer(self, customer: Customer, members: Members, deleted: bool) -> None:
        if deleted:
            del self.customers[str(customer.identification)]
            for person in customer.persons:
                person.customers.remove(customer)
            return
        customer.consent = bool(members.pop("consent", customer.consent))
        members["status"] = _status(members.get("status", customer.fields["status"]))
        customer.fields.update(members)

    def _amend_person(self, person: Person, members: Members, deleted: bool) -> None:
        person.fields.update(members)
        if deleted:
            del self.persons[str(person.identification)]
            for customer in person.customers:
                customer.persons.remove(person)

    def _amend_contact(self, name: str, members: Members, deleted: bool) -> None:
        for person in self.persons.values():
            kept = [contact for contact in person.contacts.now if contact["contactIdentification"] != name]
            if len(kept) < len(person.contacts.now):
                found = next(contact for contact in person.contacts.now if contact not in kept)
                person.contacts.change(kept if deleted else (*kept, {**found, **members}), 0)
                return
        raise KeyError(name)

    def _person(self, given: Mapping[str, Any]) -> Person:
        fields = dict(given)
        identification = fields.pop("personIdentification", None) or f"P-{len(self.persons) + 1:04d}"
        known = self.persons.get(str(identification))
        if known is not None:
            return known
        contacts = fields.pop("contacts", ())
        person = Person(identification, self._serial_number(), {"givenName": "", "lastName": "", **fields})
        self.persons[str(identification)] = person
        for contact in contacts:
            self.add_contact(person, dict(contact))
        return person

    def _invented(self, number: int) -> Members:
        """Customer `number` of the start: one person, one e-mail address; every second one has an address."""
        given, last = self._random.choice(GIVEN), self._random.choice(LAST)
        code, town = self._random.choice(TOWNS)
        place = {"streetName": "Bahnhofstrasse", "buildingNumber": str(number), "postCode": code, "townName": town}
        name = {"givenName": given, "lastName": last}
        email = f"{given}.{last}{number}@example.com".lower()
        address = {"postalAddress": {"salutation": {}, "name": name, "physicalAddress": {**place, "country": "CH"}}}
        contact = {"medium": "email", "contactMediumType": "private", "contactContent": email}
        return {
            "customerIdentification": f"C-{number:04d}",
            "externalReference": f"X-{number:04d}",
            "name": f"{given} {last}",
            "persons": [{"personIdentification": f"P-{number:04d}", **name, "contacts": [contact]}],
            "addresses": [address] if number % 2 else [],
        }

    def _next(self) -> int:
        self._number += self._random.randint(1, 9)
        return self._number

    def _serial_number(self) -> int:
        self._serial += 1
        return self._serial


def same(contact: Mapping[str, Any]) -> tuple[object, ...]:
    """What two contacts of a person share when they are one: medium, type, and the content without its dress."""
    medium, content = contact.get("medium"), str(contact.get("contactContent", ""))
    plain = "".join(filter(str.isdigit, content)) if medium in ("phone", "fax") else content.strip().casefold()
    return medium, contact.get("contactMediumType"), plain


def reachable(person: Person) -> bool:
    """A person is shown through any of its customers."""
    return any(customer.consent for customer in person.customers)


def customer_view(customer: Customer) -> Members:
    """A customer as a client reads it; uses up one read of the lag of its addresses."""
    addresses = [{"addressIdentification": each["addressIdentification"]} for each in customer.addresses.read()]
    persons = [
        {"personRelation": "accountOwner", "personIdentification": each.identification} for each in customer.persons
    ]
    return {
        "customerIdentification": customer.identification,
        **customer.fields,
        "personList": persons,
        "addressList": addresses,
    }


def person_view(person: Person) -> Members:
    """A person as a client reads it; uses up one read of the lag of its contacts."""
    names = {name: person.fields[name] for name in ("givenName", "lastName")}
    shown: Members = {
        "personIdentification": person.identification,
        "customerList": [{"customerIdentification": each.identification} for each in person.customers if each.consent],
        "fullName": " ".join(names.values()),
        "contactInformation": person.contacts.read(),
        "personDetails": {"personType": "naturalPerson", **names},
    }
    rest = {name: value for name, value in person.fields.items() if name not in names}
    return {**shown, **rest}


def _status(value: object) -> str:
    if value not in STATUSES:
        raise ValueError(f"status is one of {', '.join(STATUSES)}")
    return str(value)


def _emails(customer: Customer) -> Iterator[str]:
    for person in customer.persons:
        for contact in person.contacts.now:
            if contact.get("medium") == "email":
                yield str(contact["contactContent"])


def _hash(content: str | None) -> str | None:
    return None if content is None else hashlib.sha256(content.lower().encode()).hexdigest()


def _shown_customer(customer: Customer) -> Members:
    return {
        "customerIdentification": customer.identification,
        "externalReference": customer.fields.get("externalReference"),
        "status": customer.fields["status"],
        "consent": customer.consent,
        "persons": [person.identification for person in customer.persons],
        "addresses": [address["addressIdentification"] for address in customer.addresses.now],
        "email_sha256": _hash(next(_emails(customer), None)),
    }


def _shown_contact(contact: Mapping[str, Any]) -> Members:
    shown = {name: contact.get(name) for name in ("contactIdentification", "medium", "contactMediumType")}
    return {**shown, "content_sha256": _hash(str(contact.get("contactContent")))}
