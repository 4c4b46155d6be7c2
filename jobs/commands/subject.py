"""An identity number that somebody types: never an argument, which every user of the machine can read."""

import sys
from typing import TYPE_CHECKING

import click

from jobs.errors import Unusable

if TYPE_CHECKING:
    from jobs.operations.find_subject import Subject


def typed_subject(value: str, flag: str) -> "Subject":
    """The person, read without echo from the terminal, else from stdin. Raises Unusable for a value other than `-`."""
    from jobs.operations.find_subject import Subject

    if value != "-":
        raise Unusable(f"{flag} takes - only: arguments can be read by every user of this machine", hint=f"{flag} -")
    if sys.stdin.isatty():
        return Subject.typed(str(click.prompt("identity number", hide_input=True, err=True)))
    return Subject.typed(sys.stdin.readline())
