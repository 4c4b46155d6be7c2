"""What the text of a setting means. Each function raises ValueError with the words for what is allowed.

The types of click are not used: they take what is refused here (` 16 `, `\u0661`, `nan`, `6:00`), they suggest nothing,
and a setting also counts for commands that have no flag for it.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from datetime import time
from urllib.parse import urlsplit

from jobs.ledger.names import refuse_password
from jobs.model import MatchClass, Outcome, Rate
from jobs.systems import SYSTEMS
from jobs.transport.address import checked_base_url

NEW = "new"
"""In --fail-on: rows that need attention and did not before this run."""


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean …?` when something similar is allowed."""
    close = difflib.get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {str(close[0])!r}?" if close else ""


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number from `least` to `most`, in ASCII digits and nothing else."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def seconds(text: str) -> float:
    """Seconds, such as 30 or 0.5; never negative, never endless."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        raise ValueError("seconds, such as 30 or 0.5")
    return float(text)


def authority(text: str) -> str:
    """The URL of a time-stamping authority; plain http too, for only a hash goes there and the answer is signed."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or not text.isprintable():
        raise ValueError("a URL such as https://timestamp.example/tsa, without a password")
    return text


def days(text: str) -> int:
    """A term in days, such as 90d."""
    if not re.fullmatch(r"[0-9]{1,5}d", text):
        raise ValueError("days, such as 90d")
    return int(text[:-1])


def rate_or_auto(text: str) -> Rate | None:
    """`N/SECONDS`; None for `auto`."""
    if text == "auto":
        return None
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9}(?:\.[0-9]+)?)", text)
    if not found or int(found[1]) < 1 or float(found[2]) <= 0:
        raise ValueError("auto, or N/SECONDS such as 60/180")
    return Rate(int(found[1]), float(found[2]))


def names_of_checks(text: str) -> str:
    """Names joined by commas, each once."""
    names = [name.strip() for name in text.split(",")]
    if not all(re.fullmatch(r"[A-Za-z0-9]{1,60}", name) for name in names):
        raise ValueError("names of checks, joined by commas")
    return ",".join(dict.fromkeys(names))


def local_time(text: str) -> time:
    """A time of the day as HH:MM."""
    try:
        return time.fromisoformat(text) if re.fullmatch(r"[0-9]{2}:[0-9]{2}", text) else _refuse_time()
    except ValueError:
        return _refuse_time()


def _refuse_time() -> time:
    raise ValueError("a local time as HH:MM")


def error_budget(text: str) -> str:
    """`N` or `P%`, as it was written."""
    if not re.fullmatch(r"[0-9]{1,12}|[0-9]{1,3}(\.[0-9]+)?%", text) or (text.endswith("%") and float(text[:-1]) > 100):
        raise ValueError("N or P%, such as 100 or 2%")
    return text


def one_of(*allowed: str) -> Callable[[str], str]:
    """Reads one of `allowed`; a near miss gets a suggestion."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError("one of " + ", ".join(allowed) + suggestion(text, allowed))
        return text

    return parse


def known_system(text: str) -> str:
    """The name of a system."""
    return one_of(*SYSTEMS)(text)


def region_code(text: str) -> str:
    """Two letters, in capitals."""
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise ValueError("two letters, such as ZA")
    return text.upper()


def outcomes_and_classes(text: str) -> frozenset[str]:
    """Outcomes, classes of the reconciliation, and `new`, joined by commas."""
    names = frozenset(part.strip() for part in text.split(",") if part.strip())
    allowed = {*Outcome, *MatchClass, NEW}
    for name in sorted(names - allowed):
        raise ValueError(f"outcomes or reconciliation classes; {name!r} is neither{suggestion(name, allowed)}")
    return names


def truth(text: str) -> bool:
    """True or false, in the usual words; nothing is false."""
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("true or false")


def former_base_url(text: str) -> str:
    """The base URL that the target had before."""
    return checked_base_url(text, "--moved-from")


def ledger_url(text: str) -> str:
    """Where the ledger is; whether there can be one is seen when it is opened. Raises Unusable for a password."""
    refuse_password(text)
    return text


def profile_name(text: str) -> str:
    """The name of a profile."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", text):
        raise ValueError("a name of letters, digits, '_' and '-'")
    return text


def egress_name(text: str) -> str:
    """The name of an address that calls leave from, such as the address itself."""
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,60}", text):
        raise ValueError("a name of letters, digits, '.', ':', '_' and '-', such as 203.0.113.7")
    return text


def agreement(text: str) -> str:
    """What an agreement is called, in some words."""
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise ValueError("some words, such as ticket 4711 of 2026-11-20")
    return text


def tenant_id(text: str) -> str:
    """A tenant's id, fit for a path of the target's API."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", text):
        raise ValueError("a tenant id: letters, digits, '.', '_' and '-'")
    return text
