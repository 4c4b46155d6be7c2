"""`muster run-shard`: one worker of a run, from the ledger's names to the shards that it gives back."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from jobs.alive import Process
from jobs.batch import rows_of
from jobs.clock import Clock, milliseconds
from jobs.engine.stops import ErrorBudget, Stops
from jobs.errors import ExitCode, Locked, MusterError, Unusable
from jobs.intake.workspace import workspace
from jobs.keys import Pseudonyms
from jobs.ledger.place import place_of
from jobs.ledger.rows import RunRow
from jobs.ledger.shards import Leader, Shard, ShardState, count_of, leader_of, shard_of, stop_all, was_taken
from jobs.ledger.store import Store
from jobs.progress import Progress
from jobs.run.engines import Names
from jobs.run.event_loop import finish
from jobs.run.place import Place
from jobs.run.shard_input import read_anew, staged
from jobs.run.signals import Signals
from jobs.run.wiring import credential_of, system_of
from jobs.run.work import Work
from jobs.run.worker import NoLeader, Worker, code_of
from jobs.settings.as_run import as_run, egress_here
from jobs.settings.pseudonyms import pseudonyms_of
from jobs.settings.settings import Settings
from jobs.value import value

WAIT_SECONDS = 40.0
"""How long one waits for a shard that somebody has (chosen): a dead owner is noticed after 30 s without a heartbeat."""

LOOK_SECONDS = 1.0
"""Between two looks meanwhile (chosen)."""


class NotYet(MusterError):
    """The leader has made no shards so far: it reads, logs in, or sends its canary."""

    exit_code = ExitCode.UNREACHABLE

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run {run_id} is not shared out in shards yet", hint="the same command, a little later")


class NoSecret(MusterError):
    """A secret that every worker of the run needs is not to be had where this one works."""

    exit_code = ExitCode.PERMISSION

    def __init__(self, missing: Unusable) -> None:
        host = Process.me().host
        super().__init__(f"a worker on {host} has not what it needs: {missing.message}", hint=missing.hint)


@value
class Worked:
    """What a worker did: the shards that it had, as they stand now, and its exit code."""

    run_id: str
    shards: Sequence[Shard]
    exit_code: ExitCode


def run_shard(names: Names, clock: Clock, progress: Progress, wait_seconds: float = 0.0) -> Worked:
    """Works on the named shard, or on all that are free. Raises Unusable, Locked, NoLeader, and what ends a worker.

    `wait_seconds`: how long it waits for the run to be begun and led.
    """
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        store = stack.enter_context(Store.opened(names.ledger, create=False))
        run = _begun(store, names, clock, wait_seconds)
        before = _awaited(store, names, clock)
        if before is not None and (code := _nothing_to_do(before, milliseconds(clock.now()))) is not None:
            return Worked(run.run_id, [before], code)
        leader = leader_of(store, run.run_id)
        if leader is None:
            raise NoLeader(run.run_id)
        try:
            work = _work(names, run, leader, Place(Path(), clock, progress), store, stack)
        except NoSecret as error:
            _tell(error, names, run, store)
            raise
        stops = Stops(breaker=work.settings.breaker, same_cause=work.settings.same_cause)
        stops.budget = ErrorBudget.given(work.settings.max_errors, rows_of(work.accepted))
        store.hear(stops.signalled.is_set)
        signals.hand_over(stops)
        worker = Worker(work, stops)
        finish(worker.online(signals))
        mine = (shard_of(store, run.run_id, number) for number in sorted(worker.had))
        return Worked(run.run_id, [each for each in mine if each is not None], code_of(worker))


def _begun(store: Store, names: Names, clock: Clock, wait_seconds: float) -> RunRow:
    """The run, once it has shards. Raises Unusable, NoLeader."""
    until = clock.monotonic() + wait_seconds
    while True:
        try:
            return _run(store, names)
        except MusterError:
            if clock.monotonic() >= until:
                raise
        clock.wait(LOOK_SECONDS)


def _nothing_to_do(shard: Shard, now_ms: int) -> ExitCode | None:
    """What ends a worker whose shard is to be worked on no more, or not now; None: it is.

    What was left of a shard when its run ended is reported there, and nothing that this worker could do again.
    """
    if shard.state is ShardState.PARKED and (shard.due_ms or 0) > now_ms:
        return ExitCode.PENDING
    return {ShardState.DONE: ExitCode.OK, ShardState.LEFT: ExitCode.OK}.get(shard.state)


def _run(store: Store, names: Names) -> RunRow:
    run = store.run(names.run)
    if run is None:
        raise Unusable(f"the ledger knows no run {names.run[:80]}", hint="muster runs lists them")
    shards = count_of(store, run.run_id)
    if not shards and leader_of(store, run.run_id) is not None:
        raise NotYet(run.run_id)
    if not shards:
        raise Unusable(f"run {run.run_id} is not shared out in shards", hint="muster run INPUT --workers N")
    if names.shard is not None and names.shard >= shards:
        raise Unusable(f"run {run.run_id} has {shards} shards, 0 to {shards - 1}: none is {names.shard}")
    return run


def _awaited(store: Store, names: Names, clock: Clock) -> Shard | None:
    """The named shard, once nobody has it; None where none is named. Raises Locked."""
    if names.shard is None:
        return None
    until = clock.monotonic() + WAIT_SECONDS
    while (shard := shard_of(store, names.run, names.shard)) is not None and shard.state is ShardState.TAKEN:
        if leader_of(store, names.run) is None:
            raise NoLeader(names.run)
        if clock.monotonic() >= until:
            owner = shard.owner
            raise Locked(
                f"shard {shard.number} of run {names.run} is worked on by pid {owner and owner.pid} on "
                f"{owner and owner.host}",
                hint="wait for it to end; an owner that dies is noticed by the run's leader",
            )
        clock.wait(LOOK_SECONDS)
    return shard


def _tell(error: NoSecret, names: Names, run: RunRow, store: Store) -> None:
    """Has the run stop where no worker has had a shard yet: the others that its leader starts would fare alike."""
    if names.worker and not was_taken(store, run.run_id):
        stops = Stops()
        stops.block(error)
        stop_all(store, run.run_id, stops.told())


def _secrets(settings: Settings, ledger: str) -> Pseudonyms:
    """The key of the pseudonyms, where the credential is to be had too. Raises NoSecret."""
    try:
        credential_of(settings)
        return pseudonyms_of(ledger)
    except Unusable as error:
        raise NoSecret(error) from error


def _work(names: Names, run: RunRow, leader: Leader, place: Place, store: Store, stack: ExitStack) -> Work:
    """All that a worker needs, found where it works. Raises Unusable, NoSecret."""
    settings = as_run(run.settings, names.ledger)
    pseudonyms = _secrets(settings, names.ledger)
    store.know_key(pseudonyms.of("key", "check"))
    if place_of(names.ledger).key_file is not None and not _same_machine(leader):
        raise Unusable(
            f"the ledger {place_of(names.ledger)} is a file, which one machine can use; run {run.run_id} is led on "
            f"{leader.process.host}",
            hint="--ledger postgresql://..., for the run and its workers (docs/ledger.md)",
        )
    if settings.egress_agreement is not None:
        settings = replace(settings, egress=egress_here(settings.egress if _same_machine(leader) else None))
    system = system_of(settings, Path(run.input_path).parent)
    accepted = staged(leader, settings)
    if accepted is None:
        work = stack.enter_context(workspace(settings.workplace, place.clock))
        accepted = read_anew(run, settings, Place(work, place.clock, place.progress))
    return Work(
        names=names,
        run=run,
        settings=settings,
        system=system,
        store=store,
        leader=leader,
        accepted=accepted,
        pseudonyms=pseudonyms,
        clock=place.clock,
        progress=place.progress,
    )


def _same_machine(leader: Leader) -> bool:
    return leader.process.boot == Process.me().boot
