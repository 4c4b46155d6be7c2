"""The names of files of others: a number of a person in one is masked wherever the name is shown or kept.

Dates and times stay (`20261129`, `2026-11-29_0215`), and so do counters of up to 8 digits: most names are made of them.
"""

import re
import unicodedata
from pathlib import Path

from jobs.privacy import masking

_NUMBER = re.compile(r"\d(?:[ _.\-]{0,3}\d){8,}")
"""Nine digits and more, chosen: as many as a phone number has; a counter has fewer."""

_MOMENT = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?", re.ASCII
)


def shown(path: Path | str) -> str:
    """The path as messages, reports and the ledger have it; itself, where there is nothing to hide."""
    plain = unicodedata.normalize("NFKC", str(path))
    hidden = _NUMBER.sub(_masked, masking.addresses(plain))
    return str(path) if hidden == plain else hidden


def found(path: Path) -> Path:
    """The file that `shown` gave the path of: itself, or the only one beside it whose name is shown so."""
    if path.exists() or "*" not in path.name:
        return path
    like = [each for each in path.parent.glob("*") if shown(each.name) == path.name]
    return like[0] if len(like) == 1 else path


def is_shown_as(named: str, recorded: str) -> bool:
    """Whether what a user typed names the recorded path: whole, relative to here, or by its name alone."""
    paths = {shown(named), shown(Path(named).absolute())}
    return recorded in {*paths, named} or Path(recorded).name == shown(named)


def _masked(number: re.Match[str]) -> str:
    digits = "".join(sign for sign in number[0] if sign.isdecimal())
    return number[0] if _MOMENT.fullmatch(digits) else "*" * (len(number[0]) - 2) + number[0][-2:]
