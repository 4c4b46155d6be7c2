"""Commands that only read: each does what the system can, or is refused with a sentence that says what it can't."""

import orjson
import pytest

from jobs.systems import capabilities
from tests.flow.muster import Ended, lines

from .bench import Bench

UNCHANGED = "match"

LOGINS = {"login", "renew", "get_app_token", "token"}


def refusal(ended: Ended) -> str:
    """The sentence of a command that can't be done here."""
    assert ended.code == 2
    said = ended.stderr.splitlines()
    place = next(number for number, line in enumerate(said) if "try:" in line)
    sentence = said[place - 1]
    return "refused: " + sentence.removeprefix("muster: ")


@pytest.mark.few(1, in_turn=True)
def test_reconciling_finds_what_was_changed_and_what_is_gone(bench: Bench) -> None:
    subject = bench.subject
    first = bench.run(bench.rows(3))
    if subject.change is None or subject.delete is None:
        assert not capabilities(subject.name).reads_back
        words = refusal(bench.muster("reconcile", first.folder.name))
        assert (words, words) == (subject.ends["changed"], subject.ends["deleted"])
        return
    subject.change(bench.target, first.rows[0])
    subject.delete(bench.target, first.rows[1])
    arrived = bench.arrived
    ended = bench.muster("reconcile", first.folder.name)

    found = next(first.folder.glob("reconcile-*"))
    classes = {line["source_row"]: line["class"] for line in lines(found / "reconciliation.csv")}
    assert (ended.code, bench.writes(arrived)) == (1, [])
    assert classes == {"1": subject.ends["changed"], "2": subject.ends["deleted"], "3": UNCHANGED}


@pytest.mark.few(1, in_turn=True)
def test_what_could_not_be_read_is_counted_as_not_read_and_is_no_difference(bench: Bench) -> None:
    first = bench.run(bench.rows(2))
    reads = {call["operation"] for call in bench.target.calls() if call not in bench.writes()} - LOGINS
    params = {"location": "http://127.0.0.1:9/"}
    bench.muster.sandbox.faults([{"operation": name, "kind": "redirect", "params": params} for name in sorted(reads)])
    ended = bench.again()

    summary, compared = ended.summary, capabilities(bench.subject.name).reads_back
    assert [line["class"] for line in ended.reconciliation] == (["unverified"] * 2 if compared else [])
    assert ended.code == first.code, ended.stdout
    assert [each for each in summary["equations"] if not each["ok"]] == []
    assert [each for each in summary["control_totals"] if not each["ok"]] == []
    assert sum(summary["not_read"]["causes"].values()) == summary["not_read"]["rows"] == (2 if compared else 0)
    assert ("Of 2 rows nothing is known: the target could not be read." in ended.stdout) is compared
    assert "difference" not in ended.stdout
    assert not compared or bench.muster("reconcile", ended.folder.name).code == 1


@pytest.mark.few(1, in_turn=True)
def test_a_look_up_finds_the_customer_and_shows_no_number(bench: Bench) -> None:
    subject = bench.subject
    given = bench.rows(2)[0]
    ended = bench.run([given])
    if subject.find is None:
        assert capabilities(subject.name).lookups == ()
        assert refusal(bench.muster("lookup", "--i-know", "--phone", given["phone"])) == subject.ends["looked up"]
        return
    by, value = subject.find(given, ended.rows[0])
    arrived = bench.arrived
    found = bench.muster("lookup", "--i-know", by, value)

    assert (found.code, f"by {by.removeprefix('--')}") == (0, subject.ends["looked up"])
    assert ended.rows[0]["customer_id"] in found.stdout
    assert not [name for name in ("email", "phone", "national_id") if name in given and given[name] in found.stdout]
    assert bench.writes(arrived) == []


@pytest.mark.few(1, in_turn=True)
def test_a_plan_writes_nothing_and_agrees_with_the_run(bench: Bench) -> None:
    subject, file = bench.subject, bench.file([*bench.rows(2), bench.row(3) | {"email": "no.at.sign.example.com"}])
    planned = orjson.loads(bench.muster("plan", file, "--output", "json").stdout)
    assert bench.writes() == []
    assert sorted(path.name for path in bench.folder.iterdir()) == sorted({file.name, "muster.toml", *subject.files})
    ended = bench.again()
    arrived = bench.arrived
    afterwards = orjson.loads(bench.muster("plan", file, "--output", "json").stdout)

    assert planned["rows"] == {subject.ends["planned"]: 2, "quarantined": 1}
    assert planned["mutating_calls"] == len(bench.writes())
    assert afterwards["rows"] == {subject.ends["planned again"]: 2, "quarantined": 1}
    assert (afterwards["mutating_calls"], bench.writes(arrived)) == (0, [])
    assert ended.outcomes[2] == "quarantined"


def test_the_doctor_changes_nothing_and_says_let_in_only_where_a_call_was_answered(bench: Bench) -> None:
    ended = bench.muster("doctor", "--output", "json")

    checks = orjson.loads(ended.stdout)["checks"]
    results = {each["result"] for each in checks}
    let_in = [each["result"] == "pass" for each in checks if each["check"] == "login"]
    assert let_in == [any(200 <= call["status"] < 300 for call in bench.target.calls())]
    assert f"ends with {ended.code}" == bench.subject.ends["doctor"]
    assert ("fail" in results) is (ended.code == 1)
    assert bench.writes() == []
    assert not (bench.folder / "muster.db").exists()
