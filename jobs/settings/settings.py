"""Settings: an option is declared once, as a field of `Settings`; `precedence.py` says which value it has."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from jobs.errors import Unusable
from jobs.model import Rate
from jobs.privacy.age_files import age_key
from jobs.settings.document import TABLES
from jobs.settings.hook import Hook, hook, hook_url
from jobs.settings.option import PREFIX, declared, option
from jobs.settings.secrets import SECRETS, SIGNING_COMMAND, SIGNING_PUBLIC_KEY
from jobs.settings.values import (
    agreement,
    authority,
    days,
    egress_name,
    error_budget,
    former_base_url,
    known_system,
    ledger_url,
    local_time,
    names_of_checks,
    one_of,
    outcomes_and_classes,
    profile_name,
    rate_or_auto,
    region_code,
    seconds,
    suggestion,
    tenant_id,
    truth,
    whole,
)
from jobs.storage.address import is_address, named
from jobs.systems import DEFAULT
from jobs.transport.address import checked_base_url
from jobs.transport.proxy import Proxy, checked_proxy, unused_proxy
from schemas.job_name import JOBS, ONBOARDING, JobName

WORK = Path("runs")
"""Where runs leave their folders; where they lie in a cloud, files on the way."""

_URL_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")

DECISIONS = ("approve", "reject", "blacklist", "undo-blacklist", "request-approval", "exit", "update")
"""What the job `decide` may do with customers, each a variant with keys of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The effective settings: what each option is in the end, and where that comes from."""

    system: str = option(DEFAULT, known_system, "NAME", "The target system.", kept=True)
    job: str = option(
        ONBOARDING, one_of(*JOBS), "NAME", "What is done with the rows; the command says it.", given=False, kept=True
    )
    decision: str | None = option(
        None, one_of(*DECISIONS), "NAME", "What is decided about them; the command says it.", given=False, kept=True
    )
    operator: bool = option(
        False, truth, None, "Whether the operator's credential is used; the command says it.", given=False, kept=True
    )
    own: bool = option(
        False, truth, None, "Whether customers go on with their own token; the command says it.", given=False, kept=True
    )
    full: bool = option(
        False, truth, None, "Whether all that belongs to a row is read; the command says it.", given=False
    )
    allow_privileged: bool = option(
        False, truth, None, "Send also rows that give privileged positions.", given=False, kept=True
    )
    profile: str | None = option(
        None, profile_name, "NAME", "The [profile.NAME] of muster.toml, whose keys count before the others.", kept=True
    )
    protected: bool = option(
        False, truth, None, "Run approved plans only, and only with --confirm-tenant; once said, it holds.", kept=True
    )
    confirm_tenant: str | None = option(
        None, tenant_id, "ID", "The tenant once more, where the profile is protected; never in a file."
    )
    plan: Path | None = option(None, Path, "PLAN", "Run what this sealed plan says, and nothing else.")
    approvers: str = option(
        "", str, "NAMES", "Users and keys (ed25519:...) that may approve plans; everybody else when left out."
    )
    base_url: str | None = option(
        None, checked_base_url, "URL", "Where the target listens: https, or http on this machine.", kept=True
    )
    moved_from: str | None = option(
        None, former_base_url, "URL", "Where the ledger knew this target before it moved to --base-url."
    )
    proxy: Proxy | None = option(
        None, checked_proxy, "URL", "Proxy that every call goes through; none of the environment is used.", kept=True
    )
    ca_file: Path | None = option(
        None, Path, "PEM", "Roots that the target is verified with, in the place of the usual ones.", kept=True
    )
    tenant: str | None = option(
        None, tenant_id, "ID", "The tenant to work in; must be the credential's own.", kept=True
    )
    ledger: str = option("sqlite:///muster.db", ledger_url, "URL", "Where it is kept what was done.")
    out: Path = option(
        WORK, Path, "DIR", "Where each run leaves its folder; or s3://, gs://, az://BUCKET/PREFIX.", kept=True
    )
    work: Path | None = option(
        None,
        Path,
        "DIR",
        "Where files on the way lie, which are personal: a tmpfs, an encrypted disk; --out if left out, or runs.",
    )
    run_id: str | None = option(None, str, "ID", "Name of the run; made from the time when left out.")
    concurrency: int = option(16, whole(1, 1024), "N", "Rows worked on at the same time.")
    rate: Rate | None = option(
        None, rate_or_auto, "N/SECONDS", "Mutating calls in any window, or auto; less where the target taught so."
    )
    decision_poll: float = option(30.0, seconds, "SECONDS", "Time between two reads of an outstanding decision.")
    decision_wait: float = option(600.0, seconds, "SECONDS", "How long this run waits for a decision.")
    kyc_type: str | None = option(
        None, one_of("NORMAL", "COMPARISON"), "NORMAL|COMPARISON", "Kind of KYC (Eclipse).", of_a_system=True
    )
    checks: str | None = option(
        None,
        names_of_checks,
        "NAMES",
        "Checks that KYC runs (Eclipse); the target's own set when left out.",
        of_a_system=True,
    )
    deadline: time | None = option(None, local_time, "HH:MM", "Local time at which no further row is begun.")
    max_errors: str | None = option(
        None,
        error_budget,
        "N|P%",
        "Stop when more than N rows, or P% of the accepted, came to need attention in this run.",
    )
    max_quarantined: str | None = option(
        None, error_budget, "N|P%", "Send nothing when more than N rows, or P% of all, fail validation."
    )
    min_rows: int | None = option(None, whole(0, 10**12), "N", "Send nothing of a file with fewer rows.")
    expect_rows: int | None = option(None, whole(0, 10**12), "N", "Send nothing of a file with another number of rows.")
    breaker: int = option(50, whole(0, 10**9), "N", "Stop after N failed rows in a row; 0: never.")
    same_cause: int = option(200, whole(0, 10**9), "N", "Stop when N rows, and half of all, ended alike; 0: never.")
    canary: int = option(0, whole(0, 10**9), "N", "Onboard and reconcile N rows before the rest; 0: none.")
    reread: int = option(100_000, whole(0, 10**9), "N", "Rows complete before that a run reads again, by chance.")
    limit: int | None = option(None, whole(1, 10**12), "N", "Work on the first N accepted rows only.")
    lock_timeout: float = option(0.0, seconds, "SECONDS", "How long to wait for another run to end.")
    outage_wait: float = option(
        600.0, seconds, "SECONDS", "How long to wait for a target that does not answer any more."
    )
    engine: str = option(
        "local",
        one_of("local", "ray", "external"),
        "local|ray|external",
        "What runs the workers; external: you start run-shard.",
    )
    ray_address: str | None = option(
        None, str, "ADDRESS", "The Ray cluster, auto or HOST:PORT; one on this machine, for this run, when left out."
    )
    workers: int = option(1, whole(1, 1024), "N", "Processes that share the rows, each with --concurrency of them.")
    shards: int | None = option(
        None, whole(1, 100_000), "N", "Parts that the rows are shared out in; made from their number when left out."
    )
    egress: str | None = option(
        None, egress_name, "NAME", "Name of the address that calls leave from, where the limit counts for each."
    )
    egress_agreement: str | None = option(
        None, agreement, "TEXT", "The vendor's agreement to that, such as a ticket; a fact of the run."
    )
    region: str = option("ZA", region_code, "CC", "Region of phone numbers without a country code.", kept=True)
    encoding: str | None = option(
        None, str, "NAME", "Encoding of a CSV file that is not Unicode, such as cp1252.", kept=True
    )
    delimiter: str | None = option(None, str, "CHAR", "Field delimiter; found out when left out.", kept=True)
    files: Path | None = option(
        None, Path, "DIR", "Folder of the documents that rows name; INPUT's own when left out.", kept=True
    )
    passwords: Path | None = option(
        None, Path, "FILE", "Where generated passwords are delivered: a file of your own, 0600.", kept=True
    )
    encrypt_to: Path | None = option(
        None, Path, "KEY.pem", "RSA public key that generated passwords are encrypted to.", kept=True
    )
    strict_ids: bool = option(False, truth, None, "Refuse identity numbers whose check digit is wrong.", kept=True)
    restore_zeros: bool = option(
        False, truth, None, "Give South African identity numbers back zeros they provably lost.", kept=True
    )
    skip_lines: int = option(0, whole(0, 60), "N", "Lines of a CSV file before its header, to be left out.", kept=True)
    echo: str = option("", str, "NAMES", "Columns that no system knows and reports show (comma-separated).", kept=True)
    control: Path | None = option(
        None, Path, "FILE", "The sender's control record; INPUT.control.json or .toml when left out."
    )
    notify: Hook | None = option(
        None, hook, "CMD|URL", "Tell each end of a run to a command (JSON on stdin) or a webhook."
    )
    ping: Hook | None = option(
        None, hook_url, "URL", "Call URL after a good end, URL/CODE after another one: for a dead man's switch."
    )
    metrics: Path | None = option(None, Path, "FILE", "Leave each run's numbers there, for Prometheus' node exporter.")
    otlp: Hook | None = option(
        None, hook_url, "URL", "Post each run as a span to an OpenTelemetry collector (OTLP/HTTP)."
    )
    output: str = option("text", one_of("text", "json"), "text|json", "Form of what is printed on stdout.")
    yes: bool = option(False, truth, None, "Answer every question with yes.")
    no_progress: bool = option(False, truth, None, "No progress bar, also on a terminal.")
    fail_on: frozenset[str] | None = option(
        None,
        outcomes_and_classes,
        "NAMES",
        "Outcomes and classes that end with 1 (comma-separated); new: rows that were not so.",
    )
    retention: int | None = option(
        None, days, "DAYS", "Purge personal data of runs that ended so long ago, such as 90d, at the end of each run."
    )
    recipient: str | None = option(
        None,
        age_key,
        "AGE1",
        "Encrypt refused rows, files of `muster mend` and profiles to this public key of age.",
        kept=True,
    )
    witness: str | None = option(
        None,
        str,
        "FILE",
        "Hand each checkpoint of the ledger's log to a file, a bucket (s3://...), or a command (| COMMAND).",
        kept=True,
    )
    timestamp_url: str | None = option(
        None, authority, "URL", "Have each manifest time-stamped by this authority (RFC 3161).", kept=True
    )
    object_lock: str | None = option(
        None,
        one_of("governance", "compliance"),
        "governance|compliance",
        "Lock evidence that --out and the witness keep at s3:// (WORM): files that name nobody.",
        kept=True,
    )
    object_lock_days: int = option(2555, whole(1, 36500), "DAYS", "For how long it is locked: seven years.", kept=True)
    object_lock_all: bool = option(
        False, truth, None, "Lock files with personal data too: purge and forget can't erase them then.", kept=True
    )
    exit_zero: bool = option(False, truth, None, "End with 0 instead of 1 or 5.")

    file: Path | None = None
    """The settings file that was read; None: there is none."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where each option comes from, by its name: a flag, a variable, a file, `the run`, `default`."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """`[columns]`: header of the file to canonical column."""
    dates: Mapping[str, str] = field(default_factory=dict)
    """`[dates]`: canonical column to the format that its dates have in the file, such as DD/MM/YYYY."""
    values: Mapping[str, str] = field(default_factory=dict)
    """`[values.COLUMN]`: `column.word of the file` to the value that is meant."""
    systems: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """`[eclipse]` and the like."""

    @property
    def job_name(self) -> JobName:
        """What is done, and where."""
        return JobName(self.system, self.job, self.decision)

    @property
    def workplace(self) -> Path:
        """Where a command has its private folder for files on the way."""
        return self.work or (WORK if is_address(self.out) else self.out)

    def need(self, name: Literal["base_url", "tenant"]) -> str:
        """The value of an option that this command can't do without. Raises Unusable."""
        value = self.base_url if name == "base_url" else self.tenant
        if value is None:
            wanted = BY_NAME[name]
            raise Unusable(
                f"{wanted.flag} is missing", hint=f"give {wanted.flag}, {wanted.variable} or {name} in muster.toml"
            )
        return value

    def shown(self) -> dict[str, str]:
        """Every value as text; none is secret."""
        texts = {each.name: _text(getattr(self, each.name)) for each in OPTIONS}
        for table in TABLES:
            texts |= {f"{table}.{key}": text for key, text in getattr(self, table).items()}
        return texts | {
            f"{system}.{key}": _text(value) for system, keys in self.systems.items() for key, value in keys.items()
        }


OPTIONS = declared(Settings)
BY_NAME = {each.name: each for each in OPTIONS}
ALLOWED = frozenset(each.name for each in OPTIONS if each.given)
"""Options that people may set."""


def apart_from_defaults(texts: Mapping[str, str]) -> dict[str, str]:
    """Those of `texts`, as `Settings.shown` gives them, that somebody chose: they are not what they are by default."""
    usual = Settings().shown()
    return {name: text for name, text in texts.items() if text != usual.get(name, "")}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Path):
        return named(value)
    if isinstance(value, Rate):
        return f"{value.calls}/{value.seconds:g}"
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else _URL_PASSWORD.sub(r"\1***@", str(value))


def output_form(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
    """The form of what is printed: as the flag says, else the variable, else the file of settings; else text.

    For a command line and settings that may be wrong in everything else. `arguments`: of the command line.
    """
    environ = os.environ if environ is None else environ
    said = _last(arguments, "--output") or environ.get(BY_NAME["output"].variable)
    if said:
        return said
    path = _last(arguments, "--config") or environ.get(PREFIX + "CONFIG") or "muster.toml"
    with suppress(OSError, ValueError):
        return str(tomllib.loads(Path(path).read_text(encoding="utf-8")).get("output", "text"))
    return "text"


def _last(arguments: Sequence[str], flag: str) -> str | None:
    """The value that the last `flag` among `arguments` has; None without one."""
    given = None
    options = takewhile(lambda word: word != "--", arguments)
    for word, following in pairwise([*options, ""]):
        if word == flag or word.startswith(f"{flag}="):
            given = following if word == flag else word.removeprefix(f"{flag}=")
    return given


def proxy_left_out(settings: Settings, environ: Mapping[str, str] | None = None) -> str | None:
    """The variable that names a proxy which is not used for the target; None: there is none to speak of."""
    if settings.base_url is None or settings.proxy is not None:
        return None
    return unused_proxy(os.environ if environ is None else environ, urlsplit(settings.base_url).hostname or "")


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Variables that look like ours and are none, each with a suggestion; for a warning."""
    environ = os.environ if environ is None else environ
    known = {each.variable for each in OPTIONS if each.given} | {PREFIX + "CONFIG"}
    known |= {PREFIX + name.upper() + suffix for name in SECRETS for suffix in ("", "_FILE")}
    known |= {SIGNING_COMMAND, SIGNING_PUBLIC_KEY}
    return [name + suggestion(name, known) for name in sorted(environ) if name.startswith(PREFIX) and name not in known]
