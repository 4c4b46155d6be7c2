"""What the vendor's pages leave open: a target that answers in another of the ways they allow is understood too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.sandbox.server import Sandbox

from .muster import Muster, writes
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]

NOTHING: dict[str, dict[str, Any]] = {
    "an empty array": {"status": 200, "body": []},
    "404 with ARCH086": {"status": 404, "body": [{"type": "BUSINESS", "code": "ARCH086", "traceId": "t"}]},
}


@pytest.mark.few(1)
@pytest.mark.parametrize("answer", NOTHING)
@pytest.mark.parametrize("operation", ["search_customers", "read_kyc"])
def test_nothing_found_is_an_empty_array_or_a_coded_404(
    muster: Muster, sandbox: Sandbox, file_of: Filed, operation: str, answer: str
) -> None:
    sandbox.faults([{"operation": operation, "nth": list(range(1, 9)), "kind": "status", "params": NOTHING[answer]}])

    ended = muster("run", file_of(people(2)), "--concurrency", "1")

    assert ended.outcomes == ["onboarded"] * 2
    assert len(writes(sandbox)) == 6


def test_a_bare_404_for_the_kyc_history_of_a_customer_that_is_there_means_none(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "read_kyc", "nth": 1, "kind": "status", "params": {"status": 404, "body": {}}}])

    assert muster("run", file_of(people(1))).outcomes == ["onboarded"]


def test_a_bare_404_for_a_search_is_no_proof_that_nobody_is_there(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    sandbox.faults([{"operation": "search_customers", "kind": "status", "params": {"status": 404, "body": {}}}])

    ended = muster("run", file_of(people(1)))

    assert ended.outcomes == ["failed"]
    assert writes(sandbox) == []


def test_creates_that_answer_201_are_creates(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    sandbox.faults(
        [
            {
                "operation": "create_customer",
                "kind": "status_after_commit",
                "params": {"status": 201, "body": {"customerId": 1, "phone1": person(1)["phone"]}},
            }
        ]
    )

    ended = muster("run", file_of(people(1)))

    assert ended.rows[0]["customer_id"] == "1"


def test_a_reply_that_names_a_field_twice_is_not_believed(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    twice = {"text": '{"customerId": 1, "customerId": 2}'}
    sandbox.faults([{"operation": "create_customer", "nth": 1, "kind": "garbage_body", "params": twice}])

    ended = muster("run", file_of(people(1)), "--concurrency", "1")

    assert ended.rows[0]["customer_id"] not in {"1", "2"}
