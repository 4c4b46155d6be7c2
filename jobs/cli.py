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
    "approve": "Approve PLAN, which somebody else made with muster plan INPUT --out PLAN.",
    "doctor": "Check settings, credential, ledger, disk and target before a run; changes nothing.",
    "run-shard": "Work on shards of RUN, which muster run --engine external or another machine leads.",
    "resume": "Go on with what RUN left open: pending decisions, an interruption, a deadline.",
    "retry": "Try the rows of RUN again that ended failed, beside what resume does.",
    "kyc": "Ask for KYC again for rows of RUN that were declined, or that are in doubt about it; then go on with them.",
    "decide": (
        "Give one command about each customer that FILE names: approve, reject, blacklist, and so on (BankLingo)."
    ),
    "reconcile": "Compare RUN with a fresh read of the target, today or weeks later.",
    "download-profiles": "Download what the target shows of each customer of RUN, as PDF files or as data.",
    "employees": "List the target's employees with id and name: one of the ids is the setting `employee_id` (Azakaw).",
    "report": "Make the files of RUN again, from the ledger and the input file.",
    "mend": "Write the full original rows of RUN that need attention to FILE, to be corrected and run again.",
    "open": "List what is still open over all runs of the tenant: by cause, with age, owner and the next command.",
    "close": "Close open rows of RUN: they are known, wait for somebody, or are given up.",
    "checklist": "Show for each row of RUN whether customer, decision, allowed wallet type and wallet are there.",
    "status": "Show where RUN stands, also while it works; the newest one by default.",
    "runs": "List the runs that the ledger knows, the newest first.",
    "dashboard": "Make one page of all nights: what is open, trends, the limit used.",
    "verify": "Check file hashes, event chain and control totals of RUN (its id, or its folder).",
    "ledger": "Bring the ledger up to date, copy it between SQLite and PostgreSQL, check it.",
    "purge": "Erase personal data from runs that ended long ago; counts, ids and the chain of evidence stay.",
    "forget": "Erase all that leads to one person from the ledger and from every run; the target is not touched.",
    "lookup": "Find customers by phone, identity number, name or id.",
    "export": "Export all that the target shows of its customers, persons, KYC records or addresses (SIX bLink).",
    "admin-users": "Create and list the portal users of a tenant (Eclipse).",
    "webhook": "Receive what a target tells of its customers by itself (Azakaw).",
    "sandbox": "Serve local stand-ins of the systems on the loopback interface, with scenarios and faults.",
    "systems": "List the systems and what each can do.",
    "schema": "Show the input columns of SYSTEM, or of one of its jobs, as a table, a JSON Schema, or an example file.",
    "codes": "List every exit code, outcome, reason code, warning, class and failure with its meaning and what to do.",
    "config": "Show the effective settings with origin and meaning: all options, and all keys of the system's table.",
    "completion": "Print the script by which SHELL completes muster's commands, options, choices and files.",
    "init": "Make muster.toml and an example input file in FOLDER; nothing that is there is touched.",
    "new-system": (
        "Write the beginnings of the system NAME into a checkout: adapter, columns, stand-in, battery entry, pages."
    ),
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; `help [COMMAND]` shows help, and what other tools call it gets the right name."""
        if args[0] == "help":
            return super().resolve_command(ctx, [*args[1:], "--help"]) if args[1:] else _helped(ctx)
        if self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"there is no command {args[0][:40]!r}", ctx)
        return super().resolve_command(ctx, args)


def _helped(ctx: click.Context) -> tuple[str | None, click.Command | None, list[str]]:
    click.echo(ctx.get_help())
    ctx.exit(0)


@click.group(cls=InOrder, commands=Commands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="muster")
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
