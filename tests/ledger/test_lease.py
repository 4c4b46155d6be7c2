"""One owner at a time, by name; followed at once when dead, after half a minute of silence where only that tells."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from books import OWNER, now_ms
from sqlalchemy import select, update

from jobs.alive import Process, Pulse, Watch
from jobs.clock import Clock, from_milliseconds, milliseconds
from jobs.errors import ExitCode, Locked
from jobs.ledger import lease, tables
from jobs.ledger.lease import PULSE, Occupied, Owner
from jobs.ledger.store import Store

NOW = 1_795_227_300_000

QUICK = Pulse(beat=0.05, dead=0.8, look=0.4)
"""Only to watch the dead: on a busy machine a living one may be as silent."""


@pytest.fixture
def store(mostly: str) -> Iterator[Store]:
    with Store.opened(mostly) as opened:
        assert opened.space("eclipse", "1001") == 1
        yield opened


def ended_process() -> Process:
    """A process of this machine that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
        return replace(OWNER.process, pid=child.pid, started=12345)


AWAY = (
    replace(OWNER.process, namespace="1.2"),
    replace(OWNER.process, boot="00000000-0000-4000-8000-000000000000", pid=1),
    replace(OWNER.process, boot="00000000-0000-4000-8000-000000000000", host="pod-7"),
    Process(OWNER.process.pid, OWNER.process.started, OWNER.process.host, None, None),
)
"""An owner in another container, one before a restart, one on another host, and one of an older muster."""

PLACES = ("another container of this machine", "before it was started again", "on another host", "did not say")

anywhere = pytest.mark.parametrize("process", AWAY, ids=["container", "restart", "host", "older muster"])


def owned(store: Store, process: Process, now_ms: int) -> Owner:
    """The space is `process`'s, which said at `now_ms` that it lives. One without a boot wrote as version 2 did."""
    owner = Owner("away", process)
    lease.take(store, 1, owner, now_ms)
    if process.boot is None:
        with store.writes.begin() as connection:
            connection.execute(update(tables.space).values(beats=None))
    return owner


class Hands(Clock):
    """A clock that moves when it is told to. Its wall clock may be wrong."""

    def __init__(self, wrong_seconds: float = 0.0) -> None:
        super().__init__()
        self.at, self.wrong = 0.0, wrong_seconds

    def monotonic(self) -> float:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def now(self) -> datetime:
        return from_milliseconds(NOW + int((self.at + self.wrong) * 1000))


def look(store: Store, watch: Watch, clock: Hands) -> Occupied | int:
    """One look at the owner, and what came of it."""
    try:
        return lease.take(store, 1, OWNER, milliseconds(clock.now()), watch)
    except Occupied as occupied:
        return occupied


def beats(store: Store) -> int:
    with store.engine.connect() as connection:
        return int(connection.scalar(select(tables.space.c.beats)) or 0)


def test_a_second_owner_is_told_who_works_where_and_since_when(store: Store) -> None:
    lease.take(store, 1, OWNER, NOW)

    with pytest.raises(Locked) as caught:
        lease.take(store, 1, replace(OWNER, run_id="second"), NOW + 12_000)

    for part in (
        OWNER.run_id,
        f"pid {os.getpid()}",
        OWNER.process.host,
        "eclipse tenant 1001",
        "T02:15:00",
        "12 s ago",
    ):
        assert part in caught.value.message
    assert caught.value.exit_code == ExitCode.LOCKED
    assert "--lock-timeout" in str(caught.value.hint)


def test_an_owner_that_beat_while_somebody_looked_has_not_beaten_in_the_future(store: Store) -> None:
    lease.take(store, 1, OWNER, NOW)

    with pytest.raises(Locked, match="last heartbeat 0 s ago"):
        lease.take(store, 1, replace(OWNER, run_id="second"), NOW - 5)


def test_spaces_have_owners_of_their_own(store: Store) -> None:
    other = store.space("eclipse", "2002")

    assert lease.take(store, 1, OWNER, NOW) == 1
    assert lease.take(store, other, OWNER, NOW) == 1


def test_a_space_that_was_given_back_is_free_and_its_epoch_grows(store: Store) -> None:
    epochs = []
    for number in range(3):
        epochs.append(lease.take(store, 1, replace(OWNER, run_id=f"run-{number}"), NOW))
        assert lease.release(store, 1, epochs[-1])

    assert epochs == [1, 2, 3]
    assert store.owner("eclipse", "1001") is None


def test_a_dead_owner_on_this_host_is_followed_at_once(store: Store) -> None:
    dead = Owner("dead", ended_process())
    first = lease.take(store, 1, dead, NOW)

    second = lease.take(store, 1, OWNER, NOW + 1)

    assert second == first + 1
    assert not lease.beat(store, 1, first, NOW)
    assert not lease.release(store, 1, first)
    assert store.owner("eclipse", "1001") == OWNER.run_id


def test_a_dead_owner_of_this_machine_is_followed_at_once_under_whatever_host_name(store: Store) -> None:
    lease.take(store, 1, Owner("dead", replace(ended_process(), host="as it was called before")), NOW)

    assert lease.take(store, 1, OWNER, NOW) == 2


@anywhere
def test_an_owner_that_can_only_be_watched_is_followed_after_half_a_minute_of_silence(
    store: Store, process: Process
) -> None:
    owned(store, process, NOW - 10**9)
    clock = Hands()
    watch = Watch(PULSE, clock)
    for second in range(30):
        clock.at = second
        assert isinstance(look(store, watch, clock), Occupied)
    clock.at = 30

    assert look(store, watch, clock) == 2
    assert not lease.beat(store, 1, 1, NOW)
    assert store.owner("eclipse", "1001") == OWNER.run_id


@anywhere
@pytest.mark.parametrize("wrong_seconds", [-7200.0, 120.0])
def test_an_owner_that_beats_is_never_followed_whatever_the_wall_clocks_say(
    store: Store, process: Process, wrong_seconds: float
) -> None:
    owned(store, process, NOW)
    clock = Hands(wrong_seconds)
    watch = Watch(PULSE, clock)
    for second in range(0, 100, 2):
        clock.at = second
        clock.wrong = -clock.wrong if second % 40 == 0 else clock.wrong
        if second % 20 == 0:
            beaten(store, process, NOW + second * 1000)
        assert isinstance(look(store, watch, clock), Occupied)
    assert watch.moved


def beaten(store: Store, process: Process, now_ms: int) -> None:
    """One heartbeat; an older muster's moves the time and nothing else."""
    if process.boot is not None:
        assert lease.beat(store, 1, 1, now_ms)
        return
    with store.writes.begin() as connection:
        connection.execute(update(tables.space).values(heartbeat_ms=now_ms))


def test_a_heart_beats_with_a_wall_clock_that_stands_still(store: Store) -> None:
    owned(store, AWAY[0], NOW)
    clock = Hands()
    watch = Watch(PULSE, clock)
    for second in range(0, 120, 5):
        clock.at = second
        lease.beat(store, 1, 1, NOW)
        assert isinstance(look(store, watch, clock), Occupied)
    assert watch.silent == 0


def test_who_was_frozen_together_with_the_owner_goes_on_watching(store: Store) -> None:
    owned(store, AWAY[0], NOW)
    clock = Hands()
    watch = Watch(PULSE, clock)
    look(store, watch, clock)
    clock.at = 3600

    assert isinstance(look(store, watch, clock), Occupied)
    lease.beat(store, 1, 1, NOW)
    assert isinstance(look(store, watch, clock), Occupied)
    assert watch.moved


def test_silence_means_nothing_while_nobody_can_write_to_the_ledger(store: Store) -> None:
    owned(store, AWAY[0], NOW)
    clock = Hands()
    watch = Watch(replace(PULSE, look=0.01), clock)
    assert isinstance(look(store, watch, clock), Occupied)
    with store.writes.begin():
        for second in range(0, 60, 5):
            clock.at = second
            found = look(store, watch, clock)
            assert isinstance(found, Occupied)
            assert "could not be written meanwhile" in found.message
    clock.at = 61

    assert isinstance(look(store, watch, clock), Occupied)
    assert watch.silent == 0


@anywhere
def test_nobody_is_waited_for_whose_heartbeat_is_recent_by_the_clock(store: Store, process: Process) -> None:
    owned(store, process, NOW - 3_000)

    with pytest.raises(Occupied) as caught, lease.held(store, 1, OWNER, 0, Hands()):  # whose time stands still
        pass

    assert "last heartbeat 3 s ago" in caught.value.message
    assert PLACES[AWAY.index(process)] in caught.value.message
    assert "--lock-timeout 35" in str(caught.value.hint)
    assert caught.value.exit_code == ExitCode.LOCKED


@pytest.mark.parametrize(("process", "age_seconds"), [*((each, 3600) for each in AWAY), (AWAY[0], -3600)])
def test_a_heartbeat_that_is_not_of_now_is_watched_and_its_owner_followed_without_being_asked_to_wait(
    store: Store, process: Process, age_seconds: int
) -> None:
    owned(store, process, now_ms() - age_seconds * 1000)
    told: list[str] = []

    with lease.held(store, 1, OWNER, 0, Clock(), tell=told.append, pulse=QUICK) as mine:
        assert mine.epoch == 2

    (sentence,) = told
    assert PLACES[AWAY.index(process)] in sentence
    assert "watching it" in sentence


@pytest.mark.parametrize("away_seconds", [-120, 120])
def test_an_owner_whose_clock_is_two_minutes_off_is_seen_to_beat_and_left_alone(
    tmp_path: Path, store: Store, away_seconds: int
) -> None:
    class Wrong(Clock):
        def now(self) -> datetime:
            return super().now() + timedelta(seconds=away_seconds)

    with Store.opened(store.url) as own:
        elsewhere = lease.held(own, 1, Owner("away", AWAY[2]), 0, pulse=Pulse(0.05, 30, 1), clock=Wrong())
        with elsewhere:
            with pytest.raises(Occupied, match="and it beats") as caught, lease.held(store, 1, OWNER, 0, Clock()):
                pass
            assert store.owner("eclipse", "1001") == "away"
        assert "--lock-timeout SECONDS" in str(caught.value.hint)


def test_who_waits_follows_a_silent_owner_within_the_time(store: Store) -> None:
    owned(store, AWAY[0], now_ms())

    with lease.held(store, 1, OWNER, 60, Clock(), pulse=QUICK) as mine:
        assert mine.epoch == 2


def test_who_waits_too_short_is_told_for_how_long_it_was_watched(store: Store) -> None:
    owned(store, AWAY[0], now_ms())

    with pytest.raises(Occupied, match=r"watched for \d+ s without a beat"), lease.held(store, 1, OWNER, 1.2, Clock()):
        pass


def test_of_a_space_it_is_said_who_works_who_may_and_that_nobody_does(store: Store) -> None:
    assert lease.working(store, "eclipse", "nobody's", NOW) is None
    assert lease.working(store, "eclipse", "1001", NOW) is None
    epoch = lease.take(store, 1, OWNER, NOW)
    here = lease.working(store, "eclipse", "1001", NOW)
    lease.release(store, 1, epoch)
    owned(store, AWAY[1], NOW)
    perhaps = lease.working(store, "eclipse", "1001", NOW + 60_000)
    with store.writes.begin() as connection:
        connection.execute(update(tables.space).values(owner_run=None))
    lease.take(store, 1, Owner("dead", ended_process()), NOW)

    assert here is not None
    assert perhaps is not None
    assert (here.run_id, here.lives) == (OWNER.run_id, True)
    assert (perhaps.run_id, perhaps.lives, perhaps.recent()) == ("away", None, False)
    assert lease.working(store, "eclipse", "1001", NOW) is None


def test_without_a_lock_timeout_a_second_owner_is_told_at_once(store: Store) -> None:
    with (
        lease.held(store, 1, OWNER, 0, Hands()),
        pytest.raises(Locked),
        lease.held(store, 1, OWNER, 0, Hands()),  # whose time stands still: who waited for it would not end
    ):
        pass


@pytest.mark.parametrize("timeout", [0.3, 1.3])
def test_a_lock_timeout_is_waited_for_and_not_longer(store: Store, timeout: float) -> None:
    clock = Hands()
    lease.take(store, 1, OWNER, NOW)

    with pytest.raises(Locked), lease.held(store, 1, OWNER, timeout, clock):
        pass

    assert timeout <= clock.at < timeout + 0.1


def test_who_waits_is_let_in_when_the_owner_ends(tmp_path: Path, store: Store) -> None:
    epoch = lease.take(store, 1, OWNER, now_ms())

    def leave() -> None:
        with Store.opened(store.url) as other:
            lease.release(other, 1, epoch)

    timer = threading.Timer(0.2, leave)
    timer.start()
    with lease.held(store, 1, OWNER, 10, Clock()) as mine:
        assert mine.epoch == epoch + 1
    timer.join()
    assert store.owner("eclipse", "1001") is None


def test_the_heart_beats_while_the_block_computes(store: Store) -> None:
    with lease.held(store, 1, OWNER, 0, Clock(), pulse=Pulse(0.05, 30, 1)):
        before = beats(store)
        until = time.monotonic() + 20
        while beats(store) < before + 3:
            assert time.monotonic() < until


def test_a_beat_that_could_not_be_written_is_made_up_for_and_the_end_does_not_wait_long_for_it(
    store: Store,
) -> None:
    with lease.held(store, 1, OWNER, 0, Clock(), pulse=Pulse(0.05, 30, 1)):
        with store.writes.begin():
            before = beats(store)
            time.sleep(1.5)  # longer than a beat waits for the lock
            assert beats(store) == before
        until = time.monotonic() + 20
        while beats(store) == before:
            assert time.monotonic() < until


def test_a_block_that_fails_gives_the_space_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), lease.held(store, 1, OWNER, 0, Clock()):
        raise ZeroDivisionError

    assert store.owner("eclipse", "1001") is None


def test_of_two_that_follow_a_dead_owner_at_once_one_is_locked_out(tmp_path: Path, store: Store) -> None:
    lease.take(store, 1, Owner("dead", ended_process()), NOW)
    found: list[int | None] = []
    ready = threading.Barrier(4)

    def follow() -> None:
        with Store.opened(store.url) as own:
            ready.wait()
            try:
                found.append(lease.take(own, 1, OWNER, NOW))
            except Locked:
                found.append(None)

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found, key=str) == [2, None, None, None]
