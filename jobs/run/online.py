"""What a run does while it is connected: it sends every row that is open, then reads the target afresh.

log in -> what people decided is proven -> folder -> first rows -> all rows -> fresh read
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import chain

from jobs.clock import milliseconds
from jobs.engine.driver import Patience, RowDriver
from jobs.engine.feed import Feed
from jobs.engine.newcomers import Newcomers
from jobs.engine.workers import WorkerPool
from jobs.errors import ExitCode, Unreachable
from jobs.ledger.lineage import remember_lineage
from jobs.ledger.readings import forget_readings
from jobs.ledger.rows import Transition
from jobs.ledger.writer import Writer
from jobs.publishing.findings import Findings
from jobs.publishing.place import folder_of
from jobs.publishing.prediction import APPROVAL_FILE, PLAN_FILE
from jobs.reconciliation.resolutions import prove, rows_of
from jobs.reports.folder import RunFolder
from jobs.reports.reconciliation import notes_of
from jobs.run.ask_again import Candidate
from jobs.run.canary import send_first
from jobs.run.context import RunContext
from jobs.run.fresh_read import judge_canary, reread_if_possible
from jobs.run.lead import Lead, shared
from jobs.run.signals import Signals
from jobs.run.throttling import Throttling, note_clock, tell_kept
from jobs.run.watched import Watched, telling_of_a_stop
from jobs.run.wiring import connected, credential_of, outage_of
from jobs.systems.messages import CallClass
from jobs.transport.address import origin_of
from jobs.transport.client import Client


async def online(context: RunContext, signals: Signals) -> Findings:
    """What needs the target: onboarding, then a fresh read of what the ledger claims."""
    signals.listen(asyncio.get_running_loop())
    settings, system, store = context.given.settings, context.given.system, context.session.store
    clock, progress, began = context.place.clock, context.place.progress, context.place.clock.stamp()
    outage = outage_of(settings, clock, progress.note)
    try:
        async with AsyncExitStack() as stack:
            throttling = Throttling(context.stops, progress, clock)
            given, hear = credential_of(settings), throttling.heard
            opening = connected(settings, system, given, clock, store=store, outage=outage, hear=hear)
            client = await context.unless_signalled(stack.enter_async_context(opening))
            throttling.begin(tuple(client.limiters.values()))
            window = client.limiters[CallClass.WRITE].window
            if window is not None:
                tell_kept(window, progress)
            own_reads = system.reads_with((await client.credential.token()).positions)
            asked = await checked_first(context, client)
            folder = RunFolder.create(folder_of(context.run))
            keep_plan(context, folder)
            target = origin_of(settings.need("base_url"))
            await asyncio.to_thread(store.begin_run, context.session.space_id, context.run, target)
            if context.given.batch.staged.mended:
                await asyncio.to_thread(remember_mended, context)
            try:
                repeated = await send(context, client, asked, stack.aclose)
            finally:
                context.calls.update(client.calls)
            throttling.note()
        if ExitCode.UNREACHABLE in context.stops.codes:  # a worker may have found that out
            outage.ended = outage.ended or Unreachable(context.stops.why or "the target does not answer")
        note_clock(context.stops, clock, began)
        seen = await reread_if_possible(context, outage, own_reads=own_reads)
        if outage.waited:
            context.stops.note(f"the target did not answer for {outage.waited:,.0f} s in all, and was waited for")
        found = seen.written(folder)
        await asyncio.to_thread(forget_readings, store, context.session.space_id)
        for note in notes_of(folder):
            context.stops.note(note)
        context.leave_to_resume()
        await asyncio.to_thread(store.add_calls, context.run.run_id, context.calls)
        return Findings(
            codes=frozenset(context.stops.codes),
            stop=context.stops.why,
            notes=context.stops.notes,
            repeated_writes=client.repeated_writes + repeated,
            calls=context.calls,
            steps=tuple(step.name for step in system.steps),
            limit=window.most if window else None,
            **found,
        )
    finally:
        signals.deaf()


def keep_plan(context: RunContext, folder: RunFolder) -> None:
    """Leaves the plan of the run, and its approval, beside what comes of it."""
    plan = context.given.plan
    if plan is not None:
        folder.write_bytes(PLAN_FILE, plan.content)
    if plan is not None and plan.approval is not None:
        folder.write_bytes(APPROVAL_FILE, plan.approval)


def remember_mended(context: RunContext) -> None:
    """Records which rows of earlier runs the rows of a mended file are."""
    rows = context.given.batch.staged.mended_rows().collect()
    remember_lineage(context.session.store, context.session.space_id, context.run.run_id, rows.iter_rows())


async def checked_first(context: RunContext, client: Client) -> Sequence[Candidate]:
    """Proves what people decided, and gives the rows that are asked again. Raises Unusable, Interrupted."""
    given, session = context.given, context.session
    if given.resolutions is not None:
        wanted = rows_of(given.batch, context.decided)
        proof = prove(given.resolutions.path, context.decided, given.system, client, wanted)
        await context.unless_signalled(proof)
    if given.again is None:
        return ()
    examined = given.again.examined(session.store, session.space_id, given.system, client)
    return await context.unless_signalled(examined)


async def send(
    context: RunContext, client: Client, asked: Sequence[Candidate], disconnect: Callable[[], Awaitable[None]]
) -> int:
    """Brings every row of the batch to its outcome, in the ledger; how many writes other processes repeated.

    `disconnect`: gives back what this process holds of connections and permits, once it sends nothing more.
    """
    given, clock, stops, session = context.given, context.place.clock, context.stops, context.session
    settings = given.settings
    mine, run_id, several, repeated = session.lease, context.run.run_id, shared(settings), 0
    async with Writer(session.store, session.space_id, mine.epoch, run_id, lease=mine) as writer:
        await record(context, asked, writer)
        with context.place.progress.stage("onboarding", given.batch.rows) as count:
            patience = Patience(decision_poll=settings.decision_poll, decision_wait=settings.decision_wait)
            engine = RowDriver(given.system, client, writer, stops, clock, patience, progress=count)
            newcomers = Newcomers(given.system, client, clock, settings.concurrency)
            feed = Feed(
                given.batch, writer, engine, clock, session.pseudonyms, given.taking, newcomers=newcomers, again=several
            )
            await feed.quarantine(given.batch)
            with stops.watching(clock):
                rows = feed.fresh(settings.limit)
                if settings.canary:
                    first = await send_first(engine, rows, settings.canary, settings.concurrency)
                    await writer.commit(Transition())
                    await judge_canary(context, client, first)
                if several:
                    await writer.commit(Transition())
                    await disconnect()
                    lead = Lead.of(context, count)
                    await lead.through(feed.last + 1, given.batch.rows)
                    repeated = lead.repeated
                else:
                    pool = WorkerPool(engine)
                    watched = Watched(client, pool, stops, clock)
                    count.watch(watched.look)
                    with telling_of_a_stop(watched, context.place.progress):
                        await pool.run(rows, settings.concurrency)
            await writer.commit(Transition())
            context.leave_to_resume()
            await feed.sweep()
            return repeated


async def record(context: RunContext, asked: Sequence[Candidate], writer: Writer) -> None:
    """What people decided, and what is asked again, goes into the ledger before any row is begun."""
    now_ms = milliseconds(context.place.clock.now())
    decided = (each.transitions(context.given.system, now_ms) for each in context.decided)
    for transition in chain.from_iterable(chain(decided, (each.transitions(now_ms) for each in asked))):
        await writer.commit(transition)
