"""The tables of the README, made from the program; `python -m tests.house.tables` writes them into it."""

import re
from functools import partial
from pathlib import Path

import click

from jobs.cli import cli
from jobs.codes.listing import listing
from jobs.errors import ExitCode
from jobs.reports.summary import MEANINGS
from jobs.settings.settings import OPTIONS

from .man import man

README = Path(__file__).resolve().parents[2] / "README.md"
PAGE = README.parent / "docs" / "codes.md"
MAN = README.parent / "docs" / "muster.1"


def commands() -> str:
    """Each command with the first line of its help."""
    context = click.Context(cli)
    rows = [
        f"| `muster {name}` | {cli.commands[name].get_short_help_str(200)} |" for name in cli.list_commands(context)
    ]
    return "\n".join(["| command | does |", "|---|---|", *rows])


def exit_codes() -> str:
    """Each exit code with its meaning."""
    rows = [f"| {int(code)} | {MEANINGS[code]} |" for code in ExitCode]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def settings() -> str:
    """Each option with variable, form, default and meaning."""
    rows = []
    for option in (each for each in OPTIONS if each.given):
        form = "true or false" if option.metavar is None else option.metavar.replace("|", " or ")
        default = "auto" if option.name == "rate" else "none" if option.default is None else f"{option.default}".lower()
        rows.append(
            f"| `{option.flag}` | `{option.variable}` | {form} | {default} | {option.help.replace('|', ' or ')} |"
        )
    return "\n".join(["| option | variable | form | default | meaning |", "|---|---|---|---|---|", *rows])


def codes(kind: str) -> str:
    """Each code of a kind with its meaning and what to do."""
    shown = [(each.of, each.name, each.meaning, each.action) for each in listing()[kind]]
    of = any(each[0] for each in shown)
    rows = [
        f"| {f'`{outcome}` | ' if of else ''}`{name}` | {meaning} | {action} |"
        for outcome, name, meaning, action in shown
    ]
    head = (
        ["| outcome | code | meaning | what to do |", "|---|---|---|---|"]
        if of
        else ["| code | meaning | what to do |", "|---|---|---|"]
    )
    return "\n".join([*head, *rows])


CODES = {kind: partial(codes, kind) for kind in listing()}
TABLES = {"commands": commands, "exit codes": exit_codes, "settings": settings}


def block(name: str) -> re.Pattern[str]:
    """Where a table stands in the README."""
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(\n<!-- /{name} -->)", re.DOTALL)


def main() -> None:
    """Writes all tables."""
    for page, tables in ((README, TABLES), (PAGE, CODES)):
        text = page.read_text(encoding="utf-8")
        for name, made in tables.items():
            table = made()
            text = block(name).sub(lambda found, table=table: found[1] + table + found[3], text)
        page.write_text(text, encoding="utf-8")
    MAN.write_text(man(), encoding="utf-8")


if __name__ == "__main__":
    main()
