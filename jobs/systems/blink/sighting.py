"""What a fresh read of the bank shows beside a row: contacts and address, field by field. It judges nothing."""

from collections.abc import Mapping, Sequence

from jobs import folded
from jobs.privacy import masking
from jobs.systems.blink.address import PLACE, comparable, place_of, wanted_of
from jobs.systems.blink.bank import MEDIA, Bank, Record
from jobs.systems.blink.contact import same
from jobs.systems.json_reply import text_of
from jobs.systems.messages import Reader
from jobs.systems.row import Row
from jobs.systems.sighting import Comparison


async def contacts_of(bank: Bank, reader: Reader, row: Row, kind: str, facts: Mapping[str, str]) -> list[Comparison]:
    """The contacts that the row asks for, of the type that `facts` have of each, else of `kind`. Raises ReadFailed."""
    wanted = [medium for medium in MEDIA if row.get(medium)]
    person = row.get("bank_person_id")
    if not wanted or person is None:
        return []
    contacts = await bank.contacts(reader, person) or []
    kinds = {medium: facts.get(f"contact_{medium}_type", kind) for medium in wanted}
    return [_contact(medium, kinds[medium], row.values[medium], contacts) for medium in wanted]


def _contact(medium: str, kind: str, ours: str, contacts: Sequence[Record]) -> Comparison:
    """Equal when any contact is ours; else beside the newest one of that medium and type."""
    equal = [text_of(contact, "contactContent") for contact in contacts if same(contact, medium, kind, ours)]
    if equal:
        theirs = equal[-1] if all(folded.differs(medium, ours, each) for each in equal) else ours
        return Comparison(medium, ours, theirs, masking.of_column(medium))
    alike = [
        text_of(contact, "contactContent")
        for contact in contacts
        if text_of(contact, "medium") == medium and text_of(contact, "contactMediumType") == kind
    ]
    return Comparison(medium, ours, alike[-1] if alike else None, masking.of_column(medium))


async def address_of(bank: Bank, reader: Reader, row: Row, customer_id: str) -> list[Comparison]:
    """The columns of the address, where the row asks for one. Raises ReadFailed."""
    wanted = wanted_of(row)
    if not wanted:
        return []
    theirs = place_of(await bank.address(reader, customer_id) or {})
    if comparable(theirs) == comparable(wanted):
        theirs = wanted
    columns = [column for column in PLACE if column in wanted or column in theirs]
    return [Comparison(column, wanted.get(column, ""), theirs.get(column), masking.name) for column in columns]
