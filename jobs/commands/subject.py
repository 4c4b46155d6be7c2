"""A personal value that somebody types: never an argument, which every user of the machine can read."""

import sys
from typing import TYPE_CHECKING

import click

from jobs.errors import Unusable

if TYPE_CHECKING:
    from jobs.operations.find_subject import Subject


def typed_subject(value: str, flag: str, by: str = "identity", region: str = "ZA") -> "Subject":
    """The person, read without echo from the terminal, else from stdin. Raises Unusable for a value other than `-`.

    `by`: what is typed, one of `KINDS`.
    """
    from jobs.operations.find_subject import WORDS, Subject

    if value != "-":
        raise Unusable(f"{flag} takes - only: arguments can be read by every user of this machine", hint=f"{flag} -")
    if sys.stdin.isatty():
        return Subject.typed(str(click.prompt(WORDS[by], hide_input=True, err=True)), by, region)
    return Subject.typed(sys.stdin.readline(), by, region)
