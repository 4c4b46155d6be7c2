"""What people type out of habit from other tools, and the command that does it here."""

import difflib
from collections.abc import Iterable, Sequence

COMMANDS = {
    "list": "muster runs",
    "ls": "muster runs",
    "history": "muster runs",
    "log": "muster status",
    "logs": "muster status",
    "show": "muster status",
    "info": "muster status",
    "check": "muster validate INPUT",
    "test": "muster validate INPUT",
    "lint": "muster validate INPUT",
    "dry-run": "muster plan INPUT",
    "diff": "muster plan INPUT",
    "preview": "muster plan INPUT",
    "start": "muster run INPUT",
    "onboard": "muster run INPUT",
    "import": "muster run INPUT",
    "load": "muster run INPUT",
    "upload": "muster run INPUT",
    "apply": "muster run INPUT --plan PLAN",
    "continue": "muster resume",
    "rerun": "muster resume",
    "restart": "muster resume",
    "fix": "muster mend RUN --to FILE",
    "repair": "muster mend RUN --to FILE",
    "rejects": "muster mend RUN --to FILE",
    "recon": "muster reconcile RUN",
    "compare": "muster reconcile RUN",
    "audit": "muster verify RUN",
    "find": "muster lookup",
    "search": "muster lookup",
    "settings": "muster config",
    "env": "muster config",
    "version": "muster --version",
    "new": "muster init",
    "setup": "muster init",
    "errors": "muster codes",
    "explain": "muster codes CODE",
    "todo": "muster open",
    "serve": "muster sandbox",
    "delete": "muster purge, or muster forget",
}
OPTIONS = {
    "--dry-run": "muster plan INPUT shows what a run would do; muster validate INPUT only checks the file",
    "--check": "muster plan INPUT shows what a run would do; muster validate INPUT only checks the file",
    "--simulate": "muster plan INPUT shows what a run would do; muster sandbox is a target to try it on",
    "--list": "muster runs",
    "--status": "muster status",
    "--resume": "muster resume",
    "--retry": "muster retry RUN",
    "--json": "--output json",
    "--format": "--output json",
    "--file": "give the file as it is: muster run INPUT",
    "--input": "give the file as it is: muster run INPUT",
    "--force": "nothing is forced: the message before says what is in the way",
    "--password": "MUSTER_PASSWORD, or MUSTER_PASSWORD_FILE=FILE: a secret is never an option",
    "--token": "MUSTER_TOKEN, or MUSTER_TOKEN_FILE=FILE: a secret is never an option",
    "--username": "MUSTER_IDENTITY",
    "--user": "MUSTER_IDENTITY",
    "--url": "--base-url URL",
    "--host": "--base-url URL",
    "--db": "--ledger sqlite:///FILE",
    "--database": "--ledger sqlite:///FILE",
    "--threads": "--concurrency N",
    "--jobs": "--concurrency N",
    "--debug": "-v",
    "--silent": "-q",
}


ALIKE = 0.7
"""How much of two names without their dashes has to agree; chosen: at 0.6, difflib's own, `nonsense` is `username`."""


def instead_of_command(name: str, known: Iterable[str]) -> str | None:
    """The command that somebody who typed `name` may mean; None: nothing is like it."""
    if name in COMMANDS:
        return COMMANDS[name]
    close = difflib.get_close_matches(name, [*known, *COMMANDS], n=1)
    return (COMMANDS.get(close[0]) or f"muster {close[0]}") if close else None


def instead_of_option(name: str, known: Sequence[str]) -> str | None:
    """What to type in the place of an option that a command has not; None: nothing is like it."""
    if name in OPTIONS:
        return OPTIONS[name]
    like = {each.lstrip("-"): each for each in (*OPTIONS, *known)}
    close = difflib.get_close_matches(name.lstrip("-"), like, n=1, cutoff=ALIKE)
    return (OPTIONS.get(like[close[0]]) or like[close[0]]) if close else None
