"""One owner at a time, by name; followed at once when dead, after half a minute when silent on another host."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from books import OWNER, url_of
from sqlalchemy import select

from jobs.errors import ExitCode, Locked
from jobs.ledger import lease, tables
from jobs.ledger.store import Store

NOW = 1_795_227_300_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.opened(url_of(tmp_path)) as opened:
        assert opened.space("eclipse", "1001") == 1
        yield opened


def ended_process() -> int:
    """The pid of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
        return child.pid


def heartbeat(store: Store) -> int:
    with store.engine.connect() as connection:
        return int(connection.scalar(select(tables.space.c.heartbeat_ms)) or 0)


def test_a_second_owner_is_told_who_works_where_and_since_when(store: Store) -> None:
    lease.take(store, 1, OWNER, NOW)

    with pytest.raises(Locked) as caught:
        lease.take(store, 1, replace(OWNER, run_id="second"), NOW + 12_000)

    for part in (OWNER.run_id, f"pid {os.getpid()}", OWNER.host, "eclipse tenant 1001", "T02:15:00", "12 s ago"):
        assert part in caught.value.message
    assert caught.value.exit_code == ExitCode.LOCKED
    assert "--lock-timeout" in str(caught.value.hint)


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
    dead = replace(OWNER, run_id="dead", pid=ended_process(), started=12345)
    first = lease.take(store, 1, dead, NOW)

    second = lease.take(store, 1, OWNER, NOW + 1)

    assert second == first + 1
    assert not lease.beat(store, 1, first, NOW)
    assert not lease.release(store, 1, first)
    assert store.owner("eclipse", "1001") == OWNER.run_id


def test_an_owner_that_ended_and_was_not_waited_for_is_dead(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = lease.process_started(child.pid)
        assert started is not None
        lease.take(store, 1, replace(OWNER, pid=child.pid, started=started), NOW)
        with pytest.raises(Locked):
            lease.take(store, 1, OWNER, NOW)
        child.kill()
        while lease.process_started(child.pid) is not None:
            time.sleep(0.01)

        assert lease.take(store, 1, OWNER, NOW) == 2


def test_a_reused_pid_is_not_taken_for_the_process_that_had_it(store: Store) -> None:
    lease.take(store, 1, replace(OWNER, started=OWNER.started - 1), NOW)

    assert lease.take(store, 1, OWNER, NOW) == 2


@pytest.mark.parametrize(("silent_seconds", "taken"), [(0, False), (29.9, False), (30, True), (3600, True)])
def test_an_owner_on_another_host_is_followed_after_half_a_minute_of_silence(
    store: Store, silent_seconds: float, taken: bool
) -> None:
    lease.take(store, 1, replace(OWNER, host="elsewhere", pid=ended_process()), NOW - 100_000)
    lease.beat(store, 1, 1, NOW)

    if taken:
        assert lease.take(store, 1, OWNER, NOW + int(silent_seconds * 1000)) == 2
    else:
        with pytest.raises(Locked, match="elsewhere"):
            lease.take(store, 1, OWNER, NOW + int(silent_seconds * 1000))


def test_without_a_lock_timeout_a_second_owner_is_told_at_once(store: Store) -> None:
    with lease.held(store, 1, OWNER, 0):
        began = time.monotonic()
        with pytest.raises(Locked), lease.held(store, 1, OWNER, 0):
            pass
        assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("timeout", [0.3, 1.3])
def test_a_lock_timeout_is_waited_for_and_not_longer(store: Store, timeout: float) -> None:
    lease.take(store, 1, OWNER, lease.now_ms())
    began = time.monotonic()

    with pytest.raises(Locked), lease.held(store, 1, OWNER, timeout):
        pass

    assert timeout <= time.monotonic() - began < timeout + 0.5


def test_who_waits_is_let_in_when_the_owner_ends(tmp_path: Path, store: Store) -> None:
    epoch = lease.take(store, 1, OWNER, lease.now_ms())

    def leave() -> None:
        with Store.opened(url_of(tmp_path)) as other:
            lease.release(other, 1, epoch)

    timer = threading.Timer(0.2, leave)
    timer.start()
    with lease.held(store, 1, OWNER, 10) as next_epoch:
        assert next_epoch == epoch + 1
    timer.join()
    assert store.owner("eclipse", "1001") is None


def test_the_heart_beats_while_the_block_computes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.05)

    with lease.held(store, 1, OWNER, 0):
        before = heartbeat(store)
        time.sleep(0.3)
        assert heartbeat(store) > before


def test_a_block_that_fails_gives_the_space_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), lease.held(store, 1, OWNER, 0):
        raise ZeroDivisionError

    assert store.owner("eclipse", "1001") is None


def test_this_process_has_a_start_mark_and_one_that_never_was_has_none() -> None:
    mine = lease.process_started(os.getpid())

    assert mine is not None
    assert mine > 0
    assert lease.process_started(ended_process()) is None
    assert lease.process_started(2**22 + 1) is None


def test_of_two_that_follow_a_dead_owner_at_once_one_is_locked_out(tmp_path: Path, store: Store) -> None:
    lease.take(store, 1, replace(OWNER, pid=ended_process()), NOW)
    found: list[int | None] = []
    ready = threading.Barrier(4)

    def follow() -> None:
        with Store.opened(url_of(tmp_path)) as own:
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
