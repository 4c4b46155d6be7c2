"""One setting: its name, its values, its default. The command line, the environment and the file all come from here.

What the settings of a run are in the end, `jobs/settings/settings.py` finds out.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

from jobs.model import MatchClass, Outcome, Rate
from jobs.systems import SYSTEMS
from jobs.transport.address import checked_base_url
from jobs.transport.proxy import checked_proxy

PREFIX = "MUSTER_"
JOBS = ("onboarding", "registration", "decide", "portal-users")
"""What is done with the rows of a file: customers are onboarded, or one of a system's other jobs."""
APART: tuple[str, ...] = ("decide", "portal-users")
"""Jobs whose rows are no customers: keys and records of their own."""
DECISIONS = ("approve", "reject", "blacklist", "undo-blacklist", "request-approval", "update")
"""What the job `decide` may do with customers, each a variant with keys of its own."""


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean …?` when something similar is allowed."""
    close = difflib.get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {str(close[0])!r}?" if close else ""


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        raise ValueError("seconds, such as 30 or 0.5")
    return float(text)


def _rate(text: str) -> Rate | None:
    if text == "auto":
        return None
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9}(?:\.[0-9]+)?)", text)
    if not found or int(found[1]) < 1 or float(found[2]) <= 0:
        raise ValueError("auto, or N/SECONDS such as 60/180")
    return Rate(int(found[1]), float(found[2]))


def _checks(text: str) -> str:
    names = [name.strip() for name in text.split(",")]
    if not all(re.fullmatch(r"[A-Za-z0-9]{1,60}", name) for name in names):
        raise ValueError("names of checks, joined by commas")
    return ",".join(dict.fromkeys(names))


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text) if re.fullmatch(r"[0-9]{2}:[0-9]{2}", text) else _refuse_time()
    except ValueError:
        return _refuse_time()


def _refuse_time() -> time:
    raise ValueError("a local time as HH:MM")


def _budget(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,12}|[0-9]{1,3}(\.[0-9]+)?%", text) or (text.endswith("%") and float(text[:-1]) > 100):
        raise ValueError("N or P%, such as 100 or 2%")
    return text


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError("one of " + ", ".join(allowed) + suggestion(text, allowed))
        return text

    return parse


def _system(text: str) -> str:
    return _one_of(*SYSTEMS)(text)


def _region(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise ValueError("two letters, such as ZA")
    return text.upper()


def _fail_on(text: str) -> frozenset[str]:
    names = frozenset(part.strip() for part in text.split(",") if part.strip())
    allowed = {*Outcome, *MatchClass}
    for name in sorted(names - allowed):
        raise ValueError(f"outcomes or reconciliation classes; {name!r} is neither{suggestion(name, allowed)}")
    return names


def _truth(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("true or false")


def _moved_from(text: str) -> str:
    return checked_base_url(text, "--moved-from")


def _tenant(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", text):
        raise ValueError("a tenant id: letters, digits, '.', '_' and '-'")
    return text


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `default` is what it is when nobody says anything; `metavar` None makes it a switch."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    metavar: str | None
    help: str
    given: bool = True
    """Whether people may set it; otherwise the command does."""

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """Its command line flag."""
        return "--" + self.name.replace("_", "-")


OPTIONS: tuple[Option, ...] = (
    Option("system", _system, "eclipse", "NAME", "The target system."),
    Option(
        "job", _one_of(*JOBS), "onboarding", "NAME", "What is done with the rows; the command says it.", given=False
    ),
    Option(
        "decision", _one_of(*DECISIONS), None, "NAME", "What is decided about them; the command says it.", given=False
    ),
    Option(
        "operator", _truth, False, None, "Whether the operator's credential is used; the command says it.", given=False
    ),
    Option("allow_privileged", _truth, False, None, "Send also rows that give privileged positions.", given=False),
    Option("base_url", checked_base_url, None, "URL", "Where the target listens: https, or http on this machine."),
    Option("moved_from", _moved_from, None, "URL", "Where the ledger knew this target before it moved to --base-url."),
    Option("proxy", checked_proxy, None, "URL", "Proxy that every call goes through; none of the environment is used."),
    Option("ca_file", Path, None, "PEM", "Roots that the target is verified with, in the place of the usual ones."),
    Option("tenant", _tenant, None, "ID", "The tenant to work in; must be the credential's own."),
    Option("ledger", str, "sqlite:///muster.db", "URL", "Where it is kept what was done."),
    Option("out", Path, Path("runs"), "DIR", "Where each run leaves its folder."),
    Option("run_id", str, None, "ID", "Name of the run; made from the time when left out."),
    Option("concurrency", _whole(1, 1024), 16, "N", "Rows worked on at the same time."),
    Option("rate", _rate, None, "N/SECONDS", "Mutating calls in any window, or auto; less where the target taught so."),
    Option("decision_poll", _seconds, 30.0, "SECONDS", "Time between two reads of an outstanding decision."),
    Option("decision_wait", _seconds, 600.0, "SECONDS", "How long this run waits for a decision."),
    Option("kyc_type", _one_of("NORMAL", "COMPARISON"), None, "NORMAL|COMPARISON", "Kind of KYC (Eclipse)."),
    Option("checks", _checks, None, "NAMES", "Checks that KYC runs (Eclipse); the target's own set when left out."),
    Option("deadline", _time, None, "HH:MM", "Local time at which no further row is begun."),
    Option("max_errors", _budget, None, "N|P%", "Stop when more rows than this need attention."),
    Option("breaker", _whole(0, 10**9), 50, "N", "Stop after N failed rows in a row; 0: never."),
    Option("same_cause", _whole(0, 10**9), 200, "N", "Stop when N rows, and half of all, ended alike; 0: never."),
    Option("canary", _whole(0, 10**9), 0, "N", "Onboard and reconcile N rows before the rest; 0: none."),
    Option("limit", _whole(1, 10**12), None, "N", "Work on the first N accepted rows only."),
    Option("lock_timeout", _seconds, 0.0, "SECONDS", "How long to wait for another run to end."),
    Option("outage_wait", _seconds, 600.0, "SECONDS", "How long to wait for a target that does not answer any more."),
    Option("region", _region, "ZA", "CC", "Region of phone numbers without a country code."),
    Option("encoding", str, None, "NAME", "Encoding of a CSV file that is not Unicode, such as cp1252."),
    Option("delimiter", str, None, "CHAR", "Field delimiter; found out when left out."),
    Option("files", Path, None, "DIR", "Folder of the documents that rows name; INPUT's own when left out."),
    Option("passwords", Path, None, "FILE", "Where generated passwords are delivered: a file of your own, 0600."),
    Option("encrypt_to", Path, None, "KEY.pem", "RSA public key that generated passwords are encrypted to."),
    Option("strict_ids", _truth, False, None, "Refuse identity numbers whose check digit is wrong."),
    Option("restore_zeros", _truth, False, None, "Give South African identity numbers back zeros they provably lost."),
    Option("skip_lines", _whole(0, 60), 0, "N", "Lines of a CSV file before its header, to be left out."),
    Option("control", Path, None, "FILE", "The sender's control record; INPUT.control.json or .toml when left out."),
    Option("output", _one_of("text", "json"), "text", "text|json", "Form of what is printed on stdout."),
    Option("yes", _truth, False, None, "Answer every question with yes."),
    Option("no_progress", _truth, False, None, "No progress bar, also on a terminal."),
    Option("fail_on", _fail_on, None, "NAMES", "Outcomes and classes that end with 1 (comma-separated)."),
    Option("exit_zero", _truth, False, None, "End with 0 instead of 1 or 5."),
)
KEPT = (
    "system",
    "job",
    "decision",
    "operator",
    "allow_privileged",
    "base_url",
    "proxy",
    "ca_file",
    "tenant",
    "region",
    "encoding",
    "delimiter",
    "files",
    "passwords",
    "encrypt_to",
    "strict_ids",
    "restore_zeros",
    "skip_lines",
    "out",
)
"""What a run that is gone on with keeps unless somebody says otherwise: how its file is read, where it works."""

OF_A_SYSTEM = ("kyc_type", "checks")
"""Options that only some systems have; they stand for the key of that name in the system's table."""

BY_NAME = {option.name: option for option in OPTIONS}
