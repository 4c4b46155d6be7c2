"""What the documents say is what the program does."""

import hashlib
import re
from pathlib import Path

import pytest

from jobs.cli import cli
from jobs.evidence.auditor_pack import published
from jobs.ledger.rows import StepStatus
from jobs.model import Outcome

from .man import man
from .tables import CODES, MAN, PAGE, README, TABLES, block
from .test_imports import FLOORS

ROOT = README.parent
DECISIONS = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]


@pytest.mark.parametrize("name", TABLES)
def test_the_readme_shows_what_the_program_has(name: str) -> None:
    found = block(name).search(README.read_text(encoding="utf-8"))

    assert found is not None
    assert found[2] == TABLES[name](), "run: python -m tests.house.tables"


@pytest.mark.parametrize("name", CODES)
def test_the_page_of_codes_shows_what_the_program_has(name: str) -> None:
    found = block(name).search(PAGE.read_text(encoding="utf-8"))

    assert found is not None
    assert found[2] == CODES[name](), "run: python -m tests.house.tables"


def test_the_man_page_is_that_of_the_program() -> None:
    assert MAN.read_text(encoding="utf-8") == man(), "run: python -m tests.house.tables"


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_fate_of_a_row_names_every_outcome_and_status() -> None:
    text = (ROOT / "docs" / "fate-of-a-row.md").read_text(encoding="utf-8")

    assert [outcome for outcome in Outcome if f"`{outcome}`" not in text] == []
    assert [status for status in StepStatus if f"`{status}`" not in text] == []


def test_every_reason_code_in_the_code_is_documented() -> None:
    text = (ROOT / "docs" / "fate-of-a-row.md").read_text(encoding="utf-8")
    sources = [*(ROOT / "jobs" / "systems").rglob("*.py"), *(ROOT / "jobs" / "engine").rglob("*.py")]
    found = set()
    for source in sources:
        code = source.read_text(encoding="utf-8")
        found |= set(re.findall(r'(?:Ended|Unclear)\(\s*(?:Outcome\.[A-Z_]+,\s*)?"([a-z_]+)"', code))

    assert len(found) > 15
    assert sorted(code for code in found if f"`{code}`" not in text) == []


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_shows_an_example_or_takes_no_argument(name: str) -> None:
    command = cli.commands[name]

    assert command.help
    assert "Example" in command.help or not [each for each in command.params if each.param_type_name == "argument"]


def test_nothing_speaks_of_the_machine_it_was_written_on() -> None:
    forbidden = re.compile(r"(?<![\w.])/(?:root|home|Users)/|https?://(?:files|registry)\.")
    files = [path for path in ROOT.rglob("*") if path.suffix in {".py", ".md", ".toml", ".lock", ".j2", ".js", ".css"}]
    own = [path for path in files if not {".venv", "demo", ".git"} & set(path.relative_to(ROOT).parts)]

    hits = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in own
        if path != Path(__file__) and (found := forbidden.search(path.read_text(encoding="utf-8", errors="replace")))
    ]

    assert hits == []


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md", *sorted(DECISIONS)])
def test_a_page_about_the_house_names_files_that_are_there(page: str) -> None:
    """With or without `jobs/` in front; `<name>` stands for any."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.(?:py|md|j2|toml)|(?:[a-z_0-9]+/)+)`", text)
    links = re.findall(r"\]\(([^)#]+)\)", text)
    folders = [ROOT, ROOT / "jobs", ROOT / "jobs" / "transport", ROOT / "jobs" / "reports", ROOT / "jobs" / "ledger"]
    folders += [ROOT / "tests" / "house", ROOT / "tests" / "conformance" / "systems"]

    assert sorted(name for name in named if not any((folder / name).exists() for folder in folders)) == []
    assert sorted(link for link in links if not (ROOT / page).parent.joinpath(link).exists()) == []


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {name.removeprefix("jobs.").split(".")[0] for floor in FLOORS for name in floor}

    assert sorted(room for room in rooms if f"`{room}`" not in text and f"`{room}/" not in text) == []


def test_every_decision_is_listed() -> None:
    text = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")

    assert len(DECISIONS) >= 10
    assert [page for page in DECISIONS if f"({Path(page).name})" not in text and not page.endswith("README.md")] == []


def test_a_docstring_names_files_that_are_there() -> None:
    """`workers.py` in a docstring is a file of the house."""
    names = {path.name for folder in ("jobs", "schemas", "tests", "bench") for path in (ROOT / folder).rglob("*.py")}
    lost = []
    for path in [*(ROOT / "jobs").rglob("*.py"), *(ROOT / "schemas").rglob("*.py")]:
        for named in re.findall(r"`(?:[a-z_0-9]+/)*([a-z_0-9]+\.py)`", path.read_text(encoding="utf-8")):
            lost += [f"{path.relative_to(ROOT)}: {named}"] if named not in names else []

    assert lost == []


def test_the_hash_of_the_packed_checker_is_published() -> None:
    """Who does not trust the copy in a folder compares it with this; an edit of the checker needs a line of its own."""
    checker = hashlib.sha256((ROOT / "jobs" / "evidence" / "pack" / "verify.py").read_bytes()).hexdigest()

    assert checker in published()
    assert checker in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    pack = ROOT / "jobs" / "evidence" / "pack"
    lines = len((pack / "verify.py").read_text(encoding="utf-8").splitlines())
    assert f"or reads it: {lines} lines" in (pack / "README-AUDITOR.md").read_text(encoding="utf-8")
