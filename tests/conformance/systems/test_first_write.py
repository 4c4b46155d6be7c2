"""Whatever the answer to the first write is: one outcome for each row, never a double, nothing told that is not so."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from jobs.sandbox.server import Sandbox
from tests import leaks
from tests.flow.muster import Ended
from tests.flow.people import Row

from .bench import Bench, told
from .conftest import at_the_sandbox
from .faults import ALONE, COMMITTED, NAMES, SHARED, Fault
from .subject import Subject

HAPPY = frozenset({"onboarded", "pending"})
REFUSED = "Refused"
QUOTED = "Quoted"


@dataclass(frozen=True)
class Met:
    """One run that met every shared fault, each at a row of its own, and the same file once more without faults."""

    bench: Bench
    rows: list[Row]
    ended: Ended
    again: Ended
    sent: Mapping[str, int]
    """How often the first write of a fault's row arrived."""
    repeated: int
    """Writes of the second run."""
    verified: Ended

    def line(self, fault: str) -> Row:
        """The line of outcome.csv of a fault's row."""
        return self.ended.rows[2 + list(SHARED).index(fault)]


def quoting(subject: Subject, row: Row) -> Fault:
    """A refusal that repeats what the row says, and what was presented, as header too."""
    words = ", ".join(f"{name}: '{row[name]}'" for name in ("email", "phone", "national_id") if name in row)
    told = f"{words} with {' '.join(subject.secrets)} is refused"
    headers = {"x-correlation-id": subject.secrets[0]}
    return {"kind": "status", "params": {"status": 400, "body": subject.refusal(told), "headers": headers}}


@pytest.fixture(scope="module")
def met(subject: Subject, running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Met]:
    with at_the_sandbox(subject, running, tmp_path_factory.mktemp(subject.name)) as bench:
        rows = [bench.row(1), bench.row(2) | {"email": "no.at.sign.example.com"}]
        rows += [bench.row(10 + place, name) for place, name in enumerate(NAMES.values())]
        rows += [bench.row(49, QUOTED), bench.row(50, REFUSED), bench.row(51) | subject.more(51)]
        faults = {NAMES[name]: SHARED[name] for name in SHARED} | {QUOTED: quoting(subject, rows[-3])}
        running.faults(
            [{"operation": subject.write, "match": {"lastName": name}, **fault} for name, fault in faults.items()]
        )
        ended = bench.run(rows, "--canary", "1", "--concurrency", "8", "-v")
        sent = {name: rule["seen"] for name, rule in zip([*SHARED, QUOTED], running.faults(), strict=True)}
        running.faults([])
        arrived = bench.arrived
        again = bench.again()
        repeated = len(bench.writes(arrived))
        yield Met(bench, rows, ended, again, sent, repeated, bench.muster("verify", ended.folder.name))


@pytest.mark.parametrize("fault", SHARED)
def test_a_row_ends_as_the_documents_say(met: Met, fault: str) -> None:
    assert told(met.line(fault), met.sent[fault]) == met.bench.subject.ends[fault], met.line(fault)["reason"]


def test_good_and_refused_rows_end_as_the_documents_say(met: Met) -> None:
    ends = met.bench.subject.ends
    first, quarantined, *_, quoted, refused, last = map(told, met.ended.rows)

    assert (first, refused, last) == (ends["happy"], ends["refused"], ends["happy"])
    assert quoted in {"rejected (refused_by_target)", "in_doubt (unanswered)"}
    assert quarantined == "quarantined (email_invalid:email)"


def test_every_row_has_one_outcome_and_the_books_close(met: Met) -> None:
    for ended in (met.ended, met.again):
        assert [line["source_row"] for line in ended.rows] == [str(number) for number in range(1, len(met.rows) + 1)]
        assert [equation for equation in ended.summary["equations"] if not equation["ok"]] == []
        assert ended.code == 1
    assert met.verified.code == 0, met.verified.stderr


def test_nothing_is_there_twice_and_nothing_that_is_denied(met: Met) -> None:
    good = sum(line["outcome"] in HAPPY for line in met.ended.rows)
    unsettled = sum(met.line(fault)["outcome"] == "in_doubt" for fault in COMMITTED)

    assert (met.bench.counts.doubles, met.bench.counts.records) == (0, good + unsettled)


def test_what_was_acknowledged_is_known(met: Met) -> None:
    calls = [call for call in met.bench.writes() if call["operation"] == met.bench.subject.write]
    acknowledged = {
        met.bench.subject.handle(call)
        for call in calls
        if call["committed"] and call["delivered"] == "full" and not call["fault"]
    }

    assert len(acknowledged) >= 2
    assert acknowledged <= {line["customer_id"] for line in met.ended.rows}


def test_a_second_run_writes_nothing_and_says_the_same(met: Met) -> None:
    same = {"onboarded": "already_onboarded"}
    expected = Counter(same.get(line["outcome"], line["outcome"]) for line in met.ended.rows)

    assert (met.repeated, met.again.counts) == (0, expected)
    assert met.again.rows[0]["outcome"] == met.bench.subject.ends["again"]


@pytest.mark.few(2, in_turn=True)
def test_nothing_personal_and_no_secret_is_left_or_said(met: Met) -> None:
    named = {"email": "e-mail", "phone": "phone", "national_id": "identity number"}
    personal = {row[column]: words for row in met.rows for column, words in named.items() if row.get(column)}
    secret = dict.fromkeys([*met.bench.subject.secrets, *met.bench.tokens], "secret")
    left = leaks.everything(met.bench.folder, [met.ended, met.again], {"customers.csv", *met.bench.subject.files})

    assert len(personal) > len(SHARED)
    assert leaks.leaks({name: raw for name, raw in left.items() if leaks.OWN not in name}, personal) == []
    assert leaks.leaks(left, secret) == []


@pytest.mark.few(2, in_turn=True)
def test_a_refused_credential_is_told_without_itself(bench: Bench, running: Sandbox) -> None:
    subject = bench.subject
    words = subject.refusal(f"{' '.join(subject.secrets)} is unknown")
    refused = {"kind": "status", "params": {"status": 401, "body": words}}
    running.faults([{"operation": name, **refused} for name in (subject.write, *subject.harmless)])
    ended = bench.run(bench.rows(1), "-v")
    left = leaks.everything(bench.folder, [ended], {"customers.csv", *subject.files})

    assert ended.code in {1, 4}
    assert leaks.leaks(left, dict.fromkeys(subject.secrets, "secret")) == []


QUICK = {"401 (once)", "403 (first of the run)"}
EACH = [fault if fault in QUICK else pytest.param(fault, marks=pytest.mark.slow) for fault in ALONE]


@pytest.mark.few(1, in_turn=True)
@pytest.mark.parametrize("fault", EACH)
def test_an_answer_about_the_credential_or_the_address_ends_as_the_documents_say(
    bench: Bench, running: Sandbox, fault: str
) -> None:
    running.faults([{"operation": bench.subject.write, **ALONE[fault]}])
    ended = bench.run(bench.rows(2), "--concurrency", "1")
    place = 1 if fault == "403 (later)" else 0

    sent = running.faults()[0]["seen"] - (len(ended.rows) - 1)
    words = "the run ends with 4" if ended.code == 4 else told(ended.rows[place], sent)
    assert words == bench.subject.ends[fault]
    if ended.code == 4:
        assert f"The run was stopped: {ended.summary['findings']['stop']}." in ended.stdout
    assert len(ended.rows) == 2
    assert bench.counts.doubles == 0
    assert bench.counts.records == sum(told(line) == bench.subject.ends["happy"] for line in ended.rows)
