"""The man page, made from the program; `python -m tests.house.tables` writes it."""

import click

from jobs.cli import cli
from jobs.codes.exits import EXITS
from jobs.settings.secrets import SECRETS
from jobs.settings.settings import OPTIONS

INTRODUCTION = (
    "muster reads a CSV or Parquet file of customers, validates every row, creates them at a wallet and KYC platform "
    "through its REST API, never twice and never lost, gives every row exactly one outcome, and reads the platform "
    "again until the books balance."
)


def man() -> str:
    """docs/muster.1."""
    parts = [
        '.TH MUSTER 1 "" muster "User commands"',
        ".SH NAME",
        "muster \\- onboards customers in bulk and proves what it did",
        ".SH SYNOPSIS",
        ".B muster",
        "COMMAND [OPTION]... [ARGUMENT]...",
        ".SH DESCRIPTION",
        plain(INTRODUCTION),
        ".SH COMMANDS",
        *(line for name, command in leaves() for line in shown(name, command)),
        ".SH OPTIONS",
        plain("Each has a variable and a key of muster.toml; commands take those that concern them."),
    ]
    for option in (each for each in OPTIONS if each.given):
        parts += [".TP", f"\\fB{plain(option.flag)}\\fR {plain(option.metavar or '')}".rstrip()]
        parts.append(plain(f"{option.help} {option.variable}"))
    parts.append(".SH EXIT STATUS")
    for code in EXITS.values():
        parts += [".TP", f"\\fB{code.name}\\fR", plain(f"{code.meaning}. {code.action}")]
    parts += [".SH ENVIRONMENT", plain("Secrets, each with a variant _FILE that names a file of yours alone:")]
    parts.append(plain(", ".join(f"MUSTER_{name.upper()}" for name in SECRETS) + ". NO_COLOR is respected."))
    parts += [".SH FILES", ".TP", "muster.toml", "Settings, in the working directory; --config names another one."]
    parts += [".TP", "muster.db, muster.db.key", "The ledger and the key of its pseudonyms: keep both, together."]
    return "\n".join([*parts, ".SH SEE ALSO", plain("muster COMMAND --help, muster codes, muster config"), ""])


def leaves() -> list[tuple[str, click.Command]]:
    """Every command that does something, with its whole name."""
    context, found = click.Context(cli), []
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", leaf) for sub, leaf in command.commands.items()]
        elif command is not None:
            found.append((name, command))
    return found


def shown(name: str, command: click.Command) -> list[str]:
    """A command with its arguments and its help, examples as they are typed."""
    arguments = [
        each.make_metavar(click.Context(command)) for each in command.params if isinstance(each, click.Argument)
    ]
    lines = [".TP", f"\\fBmuster {plain(name)}\\fR {plain(' '.join(arguments))}".rstrip()]
    for part in (command.help or "").split("\n\n"):
        text = part.strip("\n ")
        if text.startswith("\b"):
            lines += [
                ".RS",
                ".nf",
                *(plain(line.removeprefix("    ")) for line in text.lstrip("\b\n ").splitlines()),
                ".fi",
                ".RE",
            ]
        else:
            lines += [plain(" ".join(text.split())), ".br"]
    return lines


def plain(text: str) -> str:
    """`text` as roff shows it."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped
