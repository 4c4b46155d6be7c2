"""Whom an answer is about, and what a write is made of: neither another row's customer nor another day's settings."""

import pytest

from jobs.sandbox.server import Sandbox

from .bench import Bench, first_writes, told


@pytest.mark.few(1, in_turn=True)
@pytest.mark.parametrize(("committed", "kind"), [("", "status"), (" after", "status_after_commit")])
def test_an_answer_about_another_rows_customer_is_never_taken(
    bench: Bench, running: Sandbox, committed: str, kind: str
) -> None:
    subject, rows = bench.subject, bench.rows(2)
    first = bench.run(rows[:1]).rows[0]
    status, about = subject.stranger_answers
    answer = {"status": status, "body": about(first)}
    running.faults([{"operation": subject.write, "kind": kind, "nth": 1, "params": answer}])
    arrived = bench.arrived
    ended = bench.run(rows)

    line, sent = ended.rows[1], len(first_writes(bench, arrived))
    assert told(line, sent) == subject.ends[f"elsewhere{committed}"], line["reason"]
    assert line["customer_id"] != first["customer_id"]
    assert ended.rows[0]["customer_id"] == first["customer_id"]
    assert (bench.counts.records, bench.counts.doubles) == (1 + (kind != "status" or sent == 2), 0)
    assert bench.muster("verify", ended.folder.name).code == 0


@pytest.mark.few(1, in_turn=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_chosen_for_a_lost_write_is_repeated_whatever_settings_and_lists_say_by_then(
    bench: Bench, running: Sandbox, when: str
) -> None:
    subject = bench.subject
    bench.table(subject.repeating or subject.settings)
    bench.muster.killed(subject.write, when, 2, "run", bench.file(bench.rows(3)), "--concurrency", "1")
    bench.table(subject.otherwise)
    running.configure(
        switches={subject.name: {**subject.switches, **({"list_order": "newest"} if subject.orders else {})}}
    )
    ended = bench.again()

    bodies = [call["bodySha256"] for call in first_writes(bench)]
    assert told(ended.rows[1], len(bodies) - 2) == subject.ends[f"otherwise {when}"], ended.rows[1]["reason"]
    assert told(ended.rows[2]) == subject.ends["happy"]
    assert len(set(bodies)) == 3
    assert (bench.counts.records, bench.counts.doubles) == (3, 0)


@pytest.mark.few(4, in_turn=True)
@pytest.mark.parametrize("order", ["newest", "shuffled"])
def test_what_was_lost_is_found_in_whatever_order_the_target_lists(bench: Bench, running: Sandbox, order: str) -> None:
    subject = bench.subject
    if order not in subject.orders:
        return
    running.configure(switches={subject.name: {**subject.switches, "list_order": order}})
    running.faults([{"operation": subject.write, "kind": "drop_after_commit", "nth": 1}])
    ended = bench.run([*bench.rows(3)], "--concurrency", "1")

    assert told(ended.rows[0]) == subject.ends["lost, and the write committed"]
    assert (len(first_writes(bench)), bench.counts.records, bench.counts.doubles) == (3, 3, 0)
