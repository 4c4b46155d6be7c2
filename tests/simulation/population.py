"""Made-up rows and what the target will make of each: one persona a row, drawn from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from jobs.keys import KeySpace
from jobs.model import Outcome
from jobs.systems.row import Row

from .parts import Parts

TENANT = "7"
KEYS = KeySpace.of("eclipse", TENANT)


class Ending(StrEnum):
    """How a row ends when nothing goes wrong."""

    COMPLETE = "complete"
    DECLINED = Outcome.DECLINED
    NOT_ELIGIBLE = Outcome.NOT_ELIGIBLE
    CONFLICT = Outcome.CONFLICT
    REJECTED = Outcome.REJECTED


@dataclass(frozen=True)
class Persona:
    """What the target makes of one customer."""

    name: str
    ending: Ending = Ending.COMPLETE
    verdict: str = "PASSED"
    interim: str | None = "PENDING"
    """KYC status until the decision; None: the result has no status member."""
    seconds: float = 0.0
    """From the trigger to the decision."""
    types: tuple[tuple[int, object], ...] = ((5001, False), (5002, True))
    """Wallet types as (id, allowed), in the target's order."""
    refused: bool = False
    """Whether the target refuses the data."""
    planted: str | None = None
    """Who is there before: `phone`, `identity` or `both` of a stranger, others that are `alike`, or `ours`."""
    history: tuple[str, ...] = ()
    """The statuses of KYC runs that who is there before had, oldest first."""
    given: tuple[int, bool] | None = None
    """A wallet that the target makes by itself with the customer: its type, and whether it has a key."""
    second: tuple[float, str] | None = None
    """A KYC status that takes the place of the verdict so many seconds later."""


PERSONAS = (
    Persona("plain"),
    Persona("plain"),
    Persona("plain"),
    Persona("slow", seconds=45),
    Persona("stuck", seconds=7200),
    Persona("unnamed", seconds=20, interim=None),
    Persona("in review", seconds=50, interim="IN_REVIEW"),
    Persona("declined", Ending.DECLINED, verdict="FAILED"),
    Persona("slowly declined", Ending.DECLINED, verdict="FAILED", seconds=40),
    Persona("no type", Ending.NOT_ELIGIBLE, types=((5001, False), (5003, False))),
    Persona("spelt types", types=((5003, "true"), (5004, "false"), (5005, 1), (5002, True))),
    Persona("refused", Ending.REJECTED, refused=True),
    Persona("phone taken", Ending.CONFLICT, planted="phone"),
    Persona("identity taken", Ending.CONFLICT, planted="identity"),
    Persona("same person", Ending.CONFLICT, planted="both"),
    Persona("alike", planted="alike"),
    Persona("made earlier", planted="ours"),
    Persona("passed at last", planted="ours", history=("FAILED", "PASSED")),
    Persona("failed at last", Ending.DECLINED, planted="ours", history=("PASSED", "FAILED")),
    Persona("many types", types=((5001, False), (5005, True), (5002, True), (5006, True))),
    Persona("given a wallet", given=(5002, False)),
    Persona("given a wallet with a key", Ending.CONFLICT, given=(5002, True)),
    Persona("given another wallet", given=(5001, False)),
    Persona("given one of many", types=((5005, True), (5002, True)), given=(5002, False)),
    Persona("thought over", Ending.DECLINED, verdict="FAILED", second=(3, "PASSED")),
    Persona("revoked", second=(3, "FAILED")),
)
PLAIN = PERSONAS[0]


@dataclass(frozen=True)
class Population:
    """Rows in input order, and the persona behind each identity number."""

    rows: tuple[Row, ...]
    personas: Mapping[str, Persona] = field(repr=False)

    def persona(self, row: Row) -> Persona:
        """What the target makes of `row`."""
        return self.personas[row.values["national_id"]]


def populated(parts: Parts, count: int, *, named: str | None = None) -> Population:
    """`count` rows less those that are left out; every persona may come, or only the one that is `named`."""
    choice = [persona for persona in PERSONAS if named in {None, persona.name}]
    rows = [person(number) for number in range(1, count + 1) if parts.happens(f"row{number}")]
    personas = {}
    for row in rows:
        drawn = parts.dice("persona", row.source_row).choice(choice)
        kept = named or drawn is PLAIN or parts.happens(f"persona{row.source_row}")
        personas[row.values["national_id"]] = drawn if kept else PLAIN
    return Population(tuple(rows), personas)


def person(number: int) -> Row:
    """Row `number`: different from every other one, and similar to all of them."""
    national_id, phone = f"900101500{number:04d}", f"2782000{number:04d}"
    values = {
        "first_name": "Thandi",
        "last_name": f"Nkosi-{number}",
        "phone": phone,
        "email": f"thandi.{number}@example.com",
        "national_id": national_id,
    }
    reference = f"CRM-{number:04d}"
    key = KEYS.customer(row_ref=reference, national_id=None)
    return Row(number, reference, key, values, f"*********{phone[-2:]}", f"**********{national_id[-3:]}", None)
