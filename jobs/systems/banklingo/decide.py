"""BankLingo's job `decide`: commands about clients that are there already, one for each row."""

from collections.abc import Mapping
from dataclasses import replace

from jobs.errors import Unusable
from jobs.model import Outcome
from jobs.systems.banklingo.command import COMMANDS, Command, CommandStep
from jobs.systems.banklingo.contacts import Contact
from jobs.systems.banklingo.system import CAPABILITIES as CREATING
from jobs.systems.banklingo.system import BankLingo, BankLingoSettings
from jobs.systems.contract import Setup
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.row import Row
from jobs.systems.sighting import Comparison, Listed, Sighting

CAPABILITIES = replace(
    CREATING,
    creates_customers=False,
    steps=("decision",),
    decision=None,
    lists_customers=False,
    decided={},
)

SETTINGS = BankLingoSettings


def system(setup: Setup, settings: BankLingoSettings) -> "Deciding":
    """BankLingo for one tenant and one command. Raises Unusable."""
    return Deciding(setup, settings)


def named(command: Command, settings: BankLingoSettings) -> Command:
    """The command with its name, which the settings have where the page has none. Raises Unusable."""
    name = command.name or settings.exit_command
    if not name:
        raise Unusable(
            "BankLingo's page says that clients are exited, and names no command that does it: nothing was sent",
            hint="give exit_command in [banklingo], as the bank names it",
        )
    return replace(command, name=name)


class Deciding(BankLingo):
    """BankLingo for one tenant: one command is given about clients."""

    def __init__(self, setup: Setup, settings: BankLingoSettings) -> None:
        super().__init__(setup, settings)
        if setup.variant not in COMMANDS:
            raise Unusable("muster decide needs --command", hint=", ".join(COMMANDS))
        self.command = named(COMMANDS[setup.variant], settings)
        self.decision = CommandStep(
            self.command,
            self.envelope,
            self.contacts,
            self.form,
            setup.credential,
            setup.known,
            strict=settings.strict_maker_checker,
            settle_seconds=settings.settle_seconds,
        )
        self.steps = (self.decision,)
        promised = {Outcome.ONBOARDED: self.command.targets, Outcome.ALREADY_ONBOARDED: self.command.targets}
        self.capabilities = replace(CAPABILITIES, decided=promised if self.command.targets else {})

    async def sight(self, reader: Reader, row: Row, facts: Mapping[str, str], listed: Listed | None = None) -> Sighting:
        """The record of the row's client. Raises ReadFailed where its number is not known: a list shows no state."""
        number = self.decision.number(row)
        if number is None:
            raise ReadFailed("the client's number is not known, and a list shows no state")
        record = await self.contacts.record(reader, number) if facts.get("customer_id") else None
        if record is None or row.get("contact_encoded_key") not in (record.key, number):
            return Sighting(())
        return self.shown(row, record)

    def compared(self, column: str, row: Row, contact: Contact) -> Comparison:
        """What the command set; nothing else of the row is a claim."""
        comparison = super().compared(column, row, contact)
        return comparison if column in self.command.members else replace(comparison, ours=None)
