"""What a run knew beside the ledger is kept as facts, and read from nothing else."""

import json
from pathlib import Path

import pytest

from jobs.errors import ExitCode
from jobs.model import Rate
from jobs.publishing.findings import INTENTS_SENT, Findings

ROOT = Path(__file__).resolve().parents[2]

FOUND = Findings(
    codes=frozenset({ExitCode.POLICY, ExitCode.UNREACHABLE}),
    reconciliation={"match": 3},
    complete_at_target=2,
    notes=("stopped: the deadline has come",),
    repeated_writes=4,
    steps=("customer", "kyc", "wallet"),
    limit=Rate(60, 180.0),
)


@pytest.mark.parametrize("found", [FOUND, Findings()])
def test_what_was_kept_is_read_back_whole(found: Findings) -> None:
    shown = {"reconciliation": dict(found.reconciliation), "notes": list(found.notes), "findings": found.facts()}

    assert Findings.of(json.loads(json.dumps(shown))) == found


def test_a_summary_of_an_older_muster_tells_the_same_in_its_own_way() -> None:
    summary = json.loads((ROOT / "tests/kept/version_2/runs/run-1/summary.json").read_bytes())
    assert "findings" not in summary

    found = Findings.of(summary)

    assert (found.codes, found.complete_at_target, found.repeated_writes) == (frozenset(), 2, 0)
    assert (found.steps, found.limit) == (("customer", "kyc", "wallet"), Rate(1000, 1.0))
    sent = next(each for each in summary["equations"] if each["name"] == INTENTS_SENT)
    sent["right"] -= 1
    assert Findings.of(summary).repeated_writes == 1
