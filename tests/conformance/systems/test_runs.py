"""Runs that are killed, limited, repeated, waiting: what a night of a scheduler is made of."""

from bisect import bisect_right
from pathlib import Path

import orjson
import pytest
from gateway import Gateway, issued

from jobs.sandbox.server import Sandbox
from jobs.systems import capabilities

from .bench import Bench, told


@pytest.mark.few(1, in_turn=True)
def test_new_rows_end_well_and_once(bench: Bench) -> None:
    proves_new_rows_end_well_and_once(bench)


def proves_new_rows_end_well_and_once(bench: Bench) -> None:
    """The happy path, of any system."""
    ended = bench.run(bench.rows(3))

    assert ended.folder.exists(), ended.stderr
    assert [told(line) for line in ended.rows] == [bench.subject.ends["happy"]] * 3
    assert ended.code == (5 if ended.counts["pending"] else 0)
    assert all(line["customer_id"] for line in ended.rows)
    assert (bench.counts.records, bench.counts.doubles) == (3, 0)
    assert all(equation["ok"] for equation in ended.summary["equations"])
    assert bench.muster("verify", ended.folder.name).code == 0
    arrived = bench.arrived
    assert bench.again().outcomes == [bench.subject.ends["again"]] * 3
    assert bench.writes(arrived) == []


@pytest.mark.few(1, in_turn=True)
def test_a_target_with_a_private_root_is_reached_when_the_root_is_given(bench: Bench, tmp_path: Path) -> None:
    issued(tmp_path, "bank", issued(tmp_path, "root"))
    with Gateway(tmp_path, bench.target.base_url, mutual=False) as gateway:
        ended = bench.run(bench.rows(1), "--base-url", gateway.base_url, "--ca-file", str(tmp_path / "root.pem"))

        assert [told(line) for line in ended.rows] == [bench.subject.ends["happy"]]
        assert gateway.calls == bench.arrived


@pytest.mark.few(1, in_turn=True)
def test_a_target_at_another_address_is_another_one_until_it_is_said_to_have_moved(bench: Bench) -> None:
    before = bench.target.base_url
    moved = before.replace("127.0.0.1", "localhost")
    assert bench.run(bench.rows(1)).counts
    arrived = bench.arrived

    refused = bench.again("--base-url", moved)
    assert (refused.code, f"--moved-from {before}" in refused.stderr, bench.arrived) == (2, True, arrived)

    ended = bench.again("--base-url", moved, "--moved-from", before)
    assert ended.outcomes == [bench.subject.ends["again"]]
    assert bench.writes(arrived) == []


@pytest.mark.few(1, in_turn=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_at_a_write_is_finished_without_a_double(
    bench: Bench, running: Sandbox, when: str
) -> None:
    bench.muster.killed(bench.subject.write, when, 2, "run", bench.file(bench.rows(3)), "--concurrency", "1")
    ended = bench.again()

    assert told(ended.rows[1]) == bench.subject.ends[f"killed {when}"]
    assert told(ended.rows[2]) == bench.subject.ends["happy"]
    assert bench.counts.doubles == 0
    assert bench.counts.records == 3 - (when == "before" and ended.outcomes[1] == "in_doubt")
    assert all(equation["ok"] for equation in ended.summary["equations"])
    assert bench.muster("verify", ended.folder.name).code == 0


@pytest.mark.few(1, in_turn=True)
def test_a_limit_is_kept_in_every_window(bench: Bench) -> None:
    calls, seconds = 4, 0.4
    ended = bench.run(bench.rows(6), "--rate", f"{calls}/{seconds}", "--concurrency", "6")

    times = [call["monotonic"] for call in bench.writes()]
    most = max(bisect_right(times, at + seconds) - place for place, at in enumerate(times))
    assert len(times) >= 6
    assert most <= calls
    assert {told(line) for line in ended.rows} == {bench.subject.ends["happy"]}


@pytest.mark.few(2)
def test_the_documented_limit_is_kept_to_unless_somebody_says_otherwise(bench: Bench) -> None:
    ended = bench.muster("plan", bench.file(bench.rows(1)), "--rate", "auto", "--output", "json")

    limit = orjson.loads(ended.stdout)["limit"]
    words = f"{limit['calls']} in {limit['seconds']:g} s" if limit else "none: found by trying"
    assert words == bench.subject.ends["limit"]


@pytest.mark.few(1, in_turn=True)
def test_a_row_that_waits_is_finished_once_it_is_decided(bench: Bench) -> None:
    subject = bench.subject
    if subject.waits is None:
        assert capabilities(subject.name).decision is None
        assert subject.ends["decided"] == "nothing is decided"
        return
    name, settings = subject.waits
    bench.settings(settings)
    first = bench.run(bench.rows(2, last_name=name))
    assert (first.code, first.outcomes) == (5, ["pending"] * 2)
    if subject.decide is not None:
        subject.decide(bench.target, first.rows[0])
    arrived, held = bench.arrived, bench.counts
    resumed = bench.muster("resume")

    assert [told(line) for line in resumed.rows] == [subject.ends["decided"], "pending (decision)"]
    assert subject.write not in {call["operation"] for call in bench.writes(arrived)}
    assert bench.counts == held
