"""Made-up rows and what the target will make of each: one persona a row, drawn from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from jobs.keys import KeySpace
from jobs.model import Outcome
from jobs.systems.row import Row

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
    """Who is there before: `phone`, `identity` or `both` of a stranger, or `ours` of an earlier ledger."""


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
    Persona("made earlier", planted="ours"),
)


@dataclass(frozen=True)
class Population:
    """Rows in input order, and the persona behind each identity number."""

    rows: tuple[Row, ...]
    personas: Mapping[str, Persona] = field(repr=False)

    def persona(self, row: Row) -> Persona:
        """What the target makes of `row`."""
        return self.personas[row.values["national_id"]]


def populated(random: Random, count: int, *, named: str | None = None) -> Population:
    """`count` rows; every persona may come, or only the one that is `named`."""
    choice = [persona for persona in PERSONAS if named in {None, persona.name}]
    rows = [person(number) for number in range(1, count + 1)]
    return Population(tuple(rows), {row.values["national_id"]: random.choice(choice) for row in rows})


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
