from itertools import pairwise

from jobs.reports.funnel import funnel

STEPS = ("customer", "kyc", "wallet")


def test_every_row_leaves_at_its_step_or_arrives() -> None:
    ends = {
        ("quarantined", None, False): 3,
        ("already_onboarded", None, True): 5,
        ("not_attempted", None, False): 2,
        ("conflict", "customer", False): 1,
        ("declined", "kyc", True): 2,
        ("pending", "kyc", True): 4,
        ("in_doubt", "wallet", True): 1,
        ("onboarded", None, True): 12,
    }
    stages = funnel(30, ends, STEPS)
    assert [stage.name for stage in stages] == ["read", "accepted", *STEPS, "onboarded"]
    assert [stage.rows for stage in stages] == [30, 27, 20, 19, 13, 12]
    assert stages[3].exits == {"declined": 2, "pending": 4}
    assert all(stage.passed == after.rows for stage, after in pairwise(stages))


def test_rows_left_between_two_steps_are_at_the_one_after_what_they_have() -> None:
    stages = funnel(2, {("pending", None, True): 1, ("pending", None, False): 1}, STEPS)
    assert [(stage.name, dict(stage.exits)) for stage in stages if stage.exits] == [
        ("customer", {"pending": 1}),
        ("kyc", {"pending": 1}),
    ]


def test_a_system_with_one_step_or_an_unknown_one_loses_no_row() -> None:
    assert [stage.rows for stage in funnel(2, {("pending", None, True): 2}, ("only",))] == [2, 2, 2, 0]
    stages = funnel(2, {("failed", "odd", False): 1, ("onboarded", None, True): 1}, ())
    assert [(stage.name, stage.rows) for stage in stages[2:]] == [("odd", 2), ("onboarded", 1)]
    assert [stage.rows for stage in funnel(0, {}, STEPS)] == [0] * 6
