"""muster for other programs: `from jobs import validate, plan, run, resume, reconcile, open_items`.

Each function does what the command of its name does, gives what it found, and raises `MusterError` where the command
would end without a run. Nothing is printed, nothing ends the process. Settings are keywords with the names that
`muster config` shows (`base_url`, `tenant`, `rate="60/180"`); environment and `muster.toml` count behind them as they
do for the commands, secrets come from the environment alone. Paths are relative to the working directory.
"""

from collections.abc import Callable
from dataclasses import field
from pathlib import Path

from jobs.clock import Clock
from jobs.errors import MusterError, Unusable, Usage
from jobs.flow import onboard
from jobs.intake.workspace import workspace
from jobs.ledger.rows import RunRow
from jobs.ledger.store import Store
from jobs.operations.open_items import OpenItems
from jobs.operations.open_items import open_items as _open_items
from jobs.operations.plan import Plan
from jobs.operations.plan import plan as _plan
from jobs.operations.reconcile_later import reconcile as _reconcile
from jobs.progress import Progress
from jobs.reports.summary import Summary
from jobs.run.gates import check_gates
from jobs.run.place import Place
from jobs.run.read_input import read_input
from jobs.run.signals import Signals
from jobs.settings.precedence import settings
from jobs.settings.settings import ALLOWED, Settings
from jobs.settings.values import suggestion
from jobs.storage.copies import copies
from jobs.storage.workplace import work_in
from jobs.value import value

__all__ = (
    "MusterError",
    "OpenItems",
    "Plan",
    "Progress",
    "Settings",
    "Summary",
    "Validation",
    "Watch",
    "open_items",
    "plan",
    "reconcile",
    "resume",
    "run",
    "validate",
)

Value = str | int | float | bool | Path | None


@value
class Validation:
    """What validation says of a file. `reasons` counts refused rows by `code:column`; `warned` accepted ones too."""

    path: Path
    sha256: str
    rows: int
    accepted: int
    quarantined: int
    reasons: dict[str, int] = field(default_factory=dict)
    warned: dict[str, int] = field(default_factory=dict)


class Watch(Progress):
    """Hooks of a program that runs muster. `said` hears sentences, `stop` is asked while rows are sent.

    A run drains, as after SIGTERM (exit code 143), once `stop` gives True.
    """

    def __init__(self, said: Callable[[str], None] = lambda _: None, stop: Callable[[], bool] | None = None) -> None:
        self._said, self.stop = said, stop

    def note(self, sentence: str) -> None:
        """See Progress."""
        self._said(sentence)


def validate(path: Path | str, *, progress: Progress | None = None, **options: Value) -> Validation:
    """Checks a file without touching the network. Raises Unusable for one that can't be read, or fails a gate."""
    clock, chosen = Clock(), _settings(options)
    with Signals(), workspace(chosen.workplace, clock) as work:
        batch = read_input(Path(path), chosen, Place(work, clock, progress or Progress()))
        check_gates(batch, chosen)
        found = batch.validated
        return Validation(
            path=batch.file.path,
            sha256=batch.file.sha256,
            rows=batch.rows,
            accepted=found.accepted_rows,
            quarantined=found.quarantined_rows,
            reasons=dict(found.reasons),
            warned={code: rows for code, (rows, _) in found.warned.items()},
        )


def plan(path: Path | str, *, progress: Progress | None = None, **options: Value) -> Plan:
    """What a run would do; reads the target and changes nothing. Raises Unusable, NotPermitted, Unreachable."""
    return _plan(Path(path), _settings(options), Clock(), progress or Progress())


def run(path: Path | str, *, progress: Progress | None = None, **options: Value) -> Summary:
    """Validates, onboards, reports and reconciles a file; the summary as it was written, with its `exit_code`.

    Raises what ends the command before there is a run: Unusable, Locked, StalePlan, NotPermitted, Unreachable.
    """
    with copies():
        return onboard("run", Path(path), _settings(options), Clock(), progress=progress)


def resume(run_id: str | None = None, *, progress: Progress | None = None, **options: Value) -> Summary:
    """Goes on with what a run left open, the newest one by default. Raises as `run`."""
    before = _run(_settings(options), run_id)
    chosen = _settings(options, before)
    path, sha256 = Path(before.input_path), before.input_sha256
    with copies():
        return onboard("resume", path, chosen, Clock(), sha256=sha256, progress=progress)


def reconcile(run_id: str, *, progress: Progress | None = None, **options: Value) -> Summary:
    """Reads the target again, independently, and compares, into a new folder. Raises Unusable, Locked, NotPermitted."""
    before = _run(_settings(options), run_id)
    with copies():
        return _reconcile(before, _settings(options, before), Clock(), progress=progress)


def open_items(**options: Value) -> OpenItems:
    """What is open over all runs: of the tenant, or of all tenants of the ledger where none is set. Raises Unusable."""
    chosen = _settings(options)
    with Store.opened(chosen.ledger, create=False) as store:
        place = (chosen.job_name.ledger_system, chosen.tenant) if chosen.tenant else (None, None)
        return _open_items(store, Clock(), *place)


def _settings(options: dict[str, Value], recorded: RunRow | None = None) -> Settings:
    """The effective settings; `config` is the settings file. Raises Usage for an unknown name."""
    config = options.get("config")
    given = {name: value for name, value in options.items() if name != "config" and value is not None}
    for name in given:
        if name not in ALLOWED:
            raise Usage(f"there is no setting {name!r}{suggestion(name, ALLOWED)}", hint="muster config lists them")
    found = settings(
        given,
        config=None if config is None else Path(str(config)),
        recorded=None if recorded is None else recorded.settings,
    )
    work_in(found.workplace)
    return found


def _run(chosen: Settings, run_id: str | None) -> RunRow:
    with Store.opened(chosen.ledger, create=False) as store:
        found = store.run(run_id) if run_id is not None else next(iter(store.runs(1)), None)
    if found is None:
        raise Unusable(f"the ledger knows no run {(run_id or '')[:80]}".rstrip())
    return found
