"""A run, on one page.

    settings -> read and validate -> checks -> lease -> log in -> folder -> send -> fresh read -> publish

Nothing is sent before the whole file was read and validated; a folder is made only when the target let us in;
reports are made from the ledger; the reconciliation reads the target afresh.
"""

from contextlib import ExitStack
from pathlib import Path

from jobs.clock import Clock, milliseconds
from jobs.engine.opening import Taking
from jobs.intake.workspace import workspace
from jobs.progress import Progress
from jobs.publishing.publish import publish
from jobs.reports.summary import Summary
from jobs.run import beginning, session
from jobs.run.ask_again import Retrigger
from jobs.run.checks import check_batch, check_settings
from jobs.run.context import Given, Place, Resolutions
from jobs.run.cut_short import reported_if_cut_short
from jobs.run.event_loop import finish
from jobs.run.online import online
from jobs.run.read_input import read_new
from jobs.run.signals import Signals
from jobs.settings.settings import Settings


def onboard(
    command: str,
    path: Path,
    settings: Settings,
    clock: Clock,
    *,
    taking: Taking | None = None,
    sha256: str | None = None,
    decisions: Resolutions | None = None,
    again: Retrigger | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Takes `path` through all stages and gives the summary as it was written.

    `taking`: which outcomes of earlier runs it goes on with. `sha256`: what the file must be (resume, retry); None:
    whatever it is. `decisions`, and what is asked `again`, are checked before anything is sent.
    Raises Unusable, Locked, and NotPermitted and Unreachable at the first login; then there is no run folder. Raises
    what `cut_short` makes of it when ledger or disk fail later.
    """
    progress = progress or Progress()
    stops = beginning.stops_of(settings, clock, progress.stop)
    run_id = beginning.run_id_of(settings, clock)
    settings, system = check_settings(settings, path.parent, run_id)
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        work = stack.enter_context(
            workspace(settings.workplace, clock, stays=lambda: not signals.came, tell=progress.note)
        )
        place = Place(work, clock, progress)

        batch = read_new(path, settings, place, sha256)
        control, plan = check_batch(batch, settings, clock, new=sha256 is None)
        given = Given(
            command=command,
            settings=settings,
            system=system,
            batch=batch,
            control=control,
            plan=plan,
            taking=taking or Taking(),
            resolutions=decisions,
            again=again,
        )
        stack.enter_context(beginning.engine_of(settings))
        held = stack.enter_context(session.opened(settings, run_id, clock, progress))
        context = beginning.begun(run_id, given, place, held, stops)
        signals.hand_over(stops)
        with reported_if_cut_short(context):
            findings = finish(online(context, signals))
            ended_ms, hurried = milliseconds(clock.now()), stops.signalled.is_set()
            return publish(held.store, context.run, batch, findings, ended_ms, hurried=hurried)
