"""The name of a job as text: what is stored under it, and what is found by it, must stay the same."""

import ast

import pytest

from jobs.settings.precedence import settings
from jobs.settings.settings import DECISIONS
from jobs.systems import JOBS, SYSTEMS
from schemas.columns import models
from schemas.job_name import APART, EXTRACT, JobName
from tests.house.sources import ROOT, files, nodes


@pytest.mark.parametrize(
    ("name", "text", "adapter", "ledger_system", "key_system"),
    [
        (JobName("eclipse"), "eclipse", "eclipse", "eclipse", "eclipse"),
        (JobName("eclipse", "registration"), "eclipse:registration", "eclipse:registration", "eclipse", "eclipse"),
        (JobName("eclipse", "portal-users"), *["eclipse:portal-users"] * 4),
        (
            JobName("banklingo", "decide", "reject"),
            "banklingo:decide/reject",
            "banklingo:decide",
            "banklingo:decide",
            "banklingo:decide/reject",
        ),
        (JobName("azakaw", EXTRACT), "azakaw:extract", "azakaw:extract", "azakaw", "azakaw"),
    ],
)
def test_a_name_is_written_read_and_stored_as_ever(
    name: JobName, text: str, adapter: str, ledger_system: str, key_system: str
) -> None:
    assert str(name) == text
    assert JobName.parse(text) == name
    assert (name.adapter, name.ledger_system, name.key_system) == (adapter, ledger_system, key_system)


def test_every_name_that_the_program_knows_reads_back() -> None:
    known = {*SYSTEMS, *JOBS, *models(), *(f"banklingo:decide/{decision}" for decision in DECISIONS)}

    assert {str(JobName.parse(text)) for text in known} == known
    assert {JobName.parse(text).adapter for text in known} == {*SYSTEMS, *JOBS} == {*models()}


def test_the_ledgers_names_of_jobs_apart_begin_as_their_systems_siblings_do() -> None:
    for text in JOBS:
        name = JobName.parse(text)
        assert name.ledger_system.startswith(name.siblings) is (name.job in APART)


def test_settings_name_their_job() -> None:
    flags = {"system": "banklingo", "job": "decide", "decision": "update"}

    assert settings({}, environ={}).job_name == JobName("eclipse")
    assert str(settings(flags, environ={}).job_name) == "banklingo:decide/update"


@pytest.mark.slow
def test_nobody_else_takes_a_name_apart() -> None:
    """Where a text is cut at a sign of the name's, it is another text."""
    others = {"schemas/customers.py", "schemas/sentences.py", "jobs/commands/close.py", "jobs/reports/rules.py"}
    others |= {"jobs/codes/listing.py", "jobs/codes/reasons.py", "jobs/intake/numbered.py"}  # a reason, `code:column`
    found = set()
    for path in files():
        if "jobs/sandbox" in str(path):
            continue
        for node in nodes(path):
            match node:
                case ast.Call(func=ast.Attribute(attr="partition" | "split"), args=[ast.Constant(value=":" | "/")]):
                    found.add(str(path.relative_to(ROOT)))

    assert found == others | {"schemas/job_name.py"}
