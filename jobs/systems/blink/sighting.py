"""What a fresh read of the bank shows beside a row: contacts and address, field by field. It judges nothing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from jobs import folded
from jobs.privacy import masking
from jobs.systems.blink import wire
from jobs.systems.blink.bank import MEDIA, Bank, Record, ids_of
from jobs.systems.blink.contact import same
from jobs.systems.blink.place import (
    DETAILS,
    NEW,
    PLACE,
    SECOND,
    agrees,
    comparable,
    detail_of,
    place_of,
    text_folded,
    wanted_of,
)
from jobs.systems.blink.wire import NotOffered
from jobs.systems.json_reply import text_of
from jobs.systems.messages import Reader
from jobs.systems.row import Row
from jobs.systems.sighting import Comparison


async def contacts_of(bank: Bank, reader: Reader, row: Row, facts: Mapping[str, str]) -> list[Comparison]:
    """The contacts that the row asks for, of the type that `facts` or the row have of each, else of any.

    The settings of now say nothing of the type that a contact was made with. `facts` has the person too, where the row
    names none. Raises ReadFailed.
    """
    wanted = [column for column in MEDIA if row.get(column)]
    person = row.get("bank_person_id") or facts.get("bank_person_id")
    if not wanted or person is None:
        return []
    contacts = await bank.contacts(reader, person, {MEDIA[column] for column in wanted}) or []
    compared = []
    for column in wanted:
        own = facts.get(f"contact_{column}_type") or row.get(f"{column}_type")
        compared += _contact(column, own, row, contacts)
    return compared


def _contact(column: str, kind: str | None, row: Row, contacts: Sequence[Record]) -> list[Comparison]:
    """Equal when any contact is ours; else beside the newest one of that medium and type."""
    medium, ours, mask = MEDIA[column], row.values[column], masking.of_column("phone" if column == "fax" else column)
    found = [contact for contact in contacts if same(contact, medium, kind, ours)]
    if not found:
        alike = [
            text_of(contact, "contactContent")
            for contact in contacts
            if text_of(contact, "medium") == medium and kind in {None, text_of(contact, "contactMediumType")}
        ]
        return [Comparison(column, ours, alike[-1] if alike else None, mask)]
    equal = [text_of(contact, "contactContent") for contact in found]
    theirs = equal[-1] if all(folded.differs(column, ours, each) for each in equal) else ours
    compared = [Comparison(column, ours, theirs, mask)]
    if more := row.get(f"{column}_information"):
        told = [text_of(contact, "additionalContactInformation") or "" for contact in found]
        shown = more if text_folded(more) in map(text_folded, told) else told[-1]
        compared.append(Comparison(f"{column}_information", more, shown, masking.name))
    return compared


async def addresses_of(bank: Bank, reader: Reader, row: Row, customer: Record) -> list[Comparison]:
    """The columns of the row's addresses, as far as the bank shows them: it shows one, whichever. Raises ReadFailed.

    Of one that is not shown the customer's list says that there are as many as the row asks for.
    """
    first, second = wanted_of(row), wanted_of(row, SECOND)
    if not first and not second:
        return []
    shown = await bank.address(reader, wire.id_of(customer, "customerIdentification") or "") or {}
    if not second:
        return compared(first, shown)
    listed, asked = len(ids_of(customer, "addressList", "addressIdentification")), 1 + bool(first)
    count = Comparison("addresses", str(asked), str(min(asked, listed)), str)
    if agrees(shown, second) or (not first and listed == 1):
        return [*compared(second, shown, SECOND), count]
    return [*(compared(first, shown) if first else []), count]


async def all_of(bank: Bank, reader: Reader, row: Row, customer_id: str) -> list[Comparison]:
    """Whether the row's person is still the customer's, and whether the bank has a KYC record of the customer.

    What the bank does not offer is not compared. Raises ReadFailed.
    """
    found = []
    if person_id := row.get("bank_person_id"):
        with suppress(NotOffered):
            person = await bank.person(reader, person_id) or {}
            linked = customer_id in ids_of(person, "customerList", "customerIdentification")
            found.append(Comparison("bank_person_id", person_id, person_id if linked else None, str))
    with suppress(NotOffered):
        record = await bank.kyc(reader, customer_id)
        found.append(Comparison("kyc", "shown", "shown" if record is not None else None, str))
    return found


def compared(wanted: Mapping[str, str], shown: Record, prefix: str = "") -> list[Comparison]:
    """The columns of one address against the one that is shown."""
    theirs = place_of(shown)
    if comparable(theirs) == comparable(wanted):
        theirs = {column: wanted[column] for column in PLACE if column in wanted}
    for column in DETAILS:
        found = detail_of(shown, column) if column in wanted else None
        if found is None and column in NEW:
            continue
        if column in wanted:
            theirs[column] = wanted[column] if text_folded(found or "") == text_folded(wanted[column]) else found or ""
    columns = [column for column in (*PLACE, *DETAILS) if column in theirs or (column in wanted and column not in NEW)]
    return [Comparison(prefix + column, wanted.get(column, ""), theirs.get(column), masking.name) for column in columns]
