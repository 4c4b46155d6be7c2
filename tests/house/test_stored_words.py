"""Words that lie in ledgers and run folders: a renamed class must not rename them."""

from typing import get_args

from jobs.ledger.rows import StepStatus
from jobs.model import MatchClass, Origin, Outcome
from jobs.reconciliation.resolutions import Choice
from jobs.systems.messages import CallClass
from jobs.systems.verdict import Absent, Finding, Unclear, Verdict


def test_the_words_of_verdicts_are_those_on_disk() -> None:
    words = {each.word for each in {*get_args(Verdict), *get_args(Finding), Absent, Unclear}}

    assert words == {
        "done", "absent", "undecided", "ended", "unclear", "again", "throttled", "doubted", "taken"
    }  # fmt: skip


def test_the_words_of_states_and_ends_are_those_on_disk() -> None:
    assert set(StepStatus) == {"intended", "done", "undecided", "refused", "doubtful", "open"}
    assert set(Outcome) == {
        "onboarded", "already_onboarded", "quarantined", "conflict", "rejected", "declined", "not_eligible", "pending",
        "failed", "in_doubt", "not_attempted",
    }  # fmt: skip
    assert set(MatchClass) == {
        "match", "field_difference", "status_difference", "partial", "missing_in_target", "only_in_target", "ambiguous",
        "unverified", "not_sent",
    }  # fmt: skip
    assert set(Origin) == {"created", "adopted"}
    assert set(Choice) == {"ours", "not_done", "another_person", "give_up", "leave"}
    assert set(CallClass) == {"write", "read", "download", "login"}  # part of the pools' pseudonyms
