"""One value in two spellings, ours and the target's: it is one value, and it is said that it is written differently."""

import orjson
import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import lines

from .bench import Bench, first_writes, told
from .test_reading import refusal

NAMED = {"eclipse": "external_unique_id", "blink": "external_reference"}
"""By system that adopts: a column that the target spells otherwise, and the row's warnings name."""


@pytest.mark.few(1, in_turn=True)
def test_what_the_target_writes_differently_is_no_difference(bench: Bench) -> None:
    subject = bench.subject
    given = bench.rows(2)
    first = bench.run(given)
    if subject.respell is None:
        assert refusal(bench.muster("reconcile", first.folder.name)) == subject.ends["respelt"]
        return
    subject.respell(bench.target, given[0], first.rows[0])
    ended = bench.muster("reconcile", first.folder.name, "--output", "json")

    found = next(first.folder.glob("reconcile-*"))
    compared = lines(found / "reconciliation.csv")
    assert [line["class"] for line in compared] == [subject.ends["respelt"]] * 2, compared
    assert (compared[0]["field"] != "", compared[1]["field"]) == (True, "")
    assert ended.code == 0
    assert any("1 row is written differently" in note for note in orjson.loads(ended.stdout)["notes"])


@pytest.mark.few(2, in_turn=True)
def test_a_person_whom_the_target_writes_differently_is_found_and_not_made_again(
    bench: Bench, running: Sandbox
) -> None:
    subject = bench.subject
    if subject.spelt is None:
        return
    running.configure(show_external_ids=True)
    given = subject.spelt(bench.target, bench.row(1))
    held = bench.counts
    ended = bench.run([given])

    assert told(ended.rows[0]) == subject.ends["spelt"], ended.rows[0]["reason"]
    assert (bench.counts.doubles, "create" in str(first_writes(bench))) == (0, subject.name == "blink")
    assert bench.counts.records == held.records + (subject.name == "blink")
    if subject.name in NAMED:
        assert f"written_differently:{NAMED[subject.name]}" in ended.rows[0]["warnings"]
        assert {line["class"] for line in ended.reconciliation} == {"match"}
        assert ended.summary["warnings"] == {f"written_differently:{NAMED[subject.name]}": 1} | {
            f"written_differently:{column}": 1 for column in ("national_id", "email") if subject.name == "eclipse"
        }


def test_an_answer_that_writes_our_values_differently_is_about_us(bench: Bench, running: Sandbox) -> None:
    subject = bench.subject
    if subject.spelt_answer is None:
        return
    given = bench.row(1)
    status, about = subject.spelt_answer
    params = {"status": status, "body": about(given)}
    running.faults([{"operation": subject.write, "kind": "status_after_commit", "nth": 1, "params": params}])
    ended = bench.run([given])

    assert ended.outcomes[0] in ("onboarded", "pending"), ended.rows[0]["reason"]
    assert ended.rows[0]["customer_id"] == "90001"
