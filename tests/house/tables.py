"""The tables of README, codes and settings, made from the program; `python -m tests.house.tables` writes them."""

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
SETTINGS_PAGE = README.parent / "docs" / "settings.md"
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
    """Each option with variable, form, default, meaning, and for whom it counts."""
    rows = []
    for option in (each for each in OPTIONS if each.given):
        form = "true or false" if option.metavar is None else option.metavar.replace("|", " or ")
        default = "auto" if option.name == "rate" else "none" if option.default is None else f"{option.default}".lower()
        kept = "yes" if option.keeps else ""
        words = option.help.replace("|", " or ")
        cells = (f"`{option.flag}`", f"`{option.variable}`", form, default, words, kept, taken_by(option.name))
        rows.append(f"| {' | '.join(cells)} |")
    head = "| option | variable | form | default | meaning | kept | counts for |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


RUNS = ("run", "register", "resume", "retry", "kyc", "decide", "admin-users")
"""Commands that make a run, which the page names once."""


def taken_by(name: str) -> str:
    """The commands that take an option; `runs` for all that make one, `config` left out."""
    found = []
    for command in cli.list_commands(click.Context(cli)):
        here = cli.commands[command]
        parts = [here, *here.commands.values()] if isinstance(here, click.Group) else [here]
        found += [command] if any(each.name == name for part in parts for each in part.params) else []
    every = {*RUNS} <= {*found}
    rest = [command for command in found if command != "config" and not (every and command in RUNS)]
    return ", ".join(["runs", *rest] if every else rest)


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
TABLES = {"commands": commands, "exit codes": exit_codes}
SETTINGS = {"settings": settings}


def block(name: str) -> re.Pattern[str]:
    """Where a table stands in the README."""
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(\n<!-- /{name} -->)", re.DOTALL)


def main() -> None:
    """Writes all tables."""
    for page, tables in ((README, TABLES), (PAGE, CODES), (SETTINGS_PAGE, SETTINGS)):
        text = page.read_text(encoding="utf-8")
        for name, made in tables.items():
            table = made()
            text = block(name).sub(lambda found, table=table: found[1] + table + found[3], text)
        page.write_text(text, encoding="utf-8")
    MAN.write_text(man(), encoding="utf-8")


if __name__ == "__main__":
    main()
