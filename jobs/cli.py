"""The command line: a group whose commands live in `jobs/commands/`, one file each.

A command's module is loaded when it is called, and heavy libraries inside commands only: `--help` answers at once.
"""

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

from jobs import __version__

COMMANDS = {
    "run": "Validate, onboard, report and reconcile INPUT.",
    "register": "Register the customers of INPUT with the ONBOARDING credential: customer, login, proof of the login.",
    "validate": "Check INPUT without touching the network.",
    "plan": "Show what a run of INPUT would do; reads the target and changes nothing.",
    "doctor": "Check settings, credential, ledger, disk and target before a run; changes nothing.",
    "resume": "Go on with what RUN left open: pending decisions, an interruption, a deadline.",
    "retry": "Try the rows of RUN again that ended failed, beside what resume does.",
    "kyc": "Ask for KYC again for rows of RUN that were declined, or that are in doubt about it; then go on with them.",
    "decide": (
        "Give one command about each customer that FILE names: approve, reject, blacklist, and so on (BankLingo)."
    ),
    "reconcile": "Compare RUN with a fresh read of the target, today or weeks later.",
    "download-profiles": "Download what the target shows of each customer of RUN, as PDF files.",
    "report": "Make the files of RUN again, from the ledger and the input file.",
    "status": "Show where RUN stands; the newest one by default.",
    "runs": "List the runs that the ledger knows, the newest first.",
    "verify": "Check file hashes, event chain and control totals of RUN (its id, or its folder).",
    "purge": "Erase personal data from runs that ended long ago; counts, ids and the chain of evidence stay.",
    "forget": "Erase all that leads to one person from the ledger and from every run; the target is not touched.",
    "lookup": "Find customers by phone, identity number, name or id.",
    "admin-users": "Create and list the portal users of a tenant (Eclipse).",
    "sandbox": "Serve local stand-ins of the systems on the loopback interface, with scenarios and faults.",
    "systems": "List the systems and what each can do.",
    "schema": "Show the input columns of SYSTEM, or of one of its jobs, as a table, a JSON Schema, or an example file.",
    "config": "Show the effective settings with their origin: flag, environment, muster.toml or default.",
    "init": "Make muster.toml and an example input file in FOLDER; nothing that is there is touched.",
}
"""Name and purpose of each command, in the order of a night's work; each is in a module of its name in `jobs/commands`.

The purpose is the first sentence of the command's own help: it stands here so that `--help` loads none of them.
"""


class Commands(MutableMapping[str, click.Command]):
    """The commands by name, each loaded when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            if name not in COMMANDS:
                raise KeyError(name)
            self._loaded[name] = import_module(f"jobs.commands.{name.replace('-', '_')}").command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*COMMANDS, *self._loaded)))

    def __len__(self) -> int:
        return len(set(self))


class InOrder(click.Group):
    """Lists commands in the order of `COMMANDS`, not of the alphabet, and loads none to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in their order."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        """Writes names and purposes."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=InOrder, commands=Commands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="muster")
def cli() -> None:
    """Onboards customers in bulk and proves what it did.

    \b
    Examples:
      muster validate customers.csv
      muster run customers.csv --base-url https://eclipse.example --tenant 1001
      muster resume
      muster status
      muster sandbox --port 8080

    Exit codes: 0 done, 1 rows need attention, 2 unusable input or settings, 3 stopped by policy, ledger or disk,
    4 authentication or permission, 5 only pending rows remain, 6 another run holds the lock,
    7 books or evidence do not agree, 8 plan stale, 70 internal error, 130/143 interrupted.
    """
