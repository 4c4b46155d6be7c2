"""The command line: a group whose commands live in `jobs/commands/`, one file each.

Heavy libraries are imported inside commands only, so that `--help` answers at once.
"""

from importlib import import_module

import click

from jobs import __version__

COMMANDS = (
    "run",
    "register",
    "validate",
    "plan",
    "approve",
    "doctor",
    "resume",
    "retry",
    "kyc",
    "decide",
    "reconcile",
    "download_profiles",
    "employees",
    "report",
    "mend",
    "open",
    "close",
    "checklist",
    "status",
    "runs",
    "dashboard",
    "verify",
    "purge",
    "forget",
    "lookup",
    "export",
    "admin_users",
    "webhook",
    "sandbox",
    "systems",
    "schema",
    "codes",
    "config",
    "completion",
    "init",
    "new_system",
)
"""The commands, each in a module of `jobs/commands` with its name, in the order of a night's work."""


class InOrder(click.Group):
    """Lists commands in the order of `COMMANDS`, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names as they were added."""
        return list(self.commands)

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


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
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


for name in COMMANDS:
    cli.add_command(import_module(f"jobs.commands.{name}").command)
