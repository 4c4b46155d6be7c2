"""The pages for people at work: commands exist, files are what they say, every code has a recipe."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from jobs.cli import cli
from jobs.errors import ExitCode
from jobs.evidence.manifest import MANIFEST, SIGNATURE, STAMP
from jobs.evidence.sums import SUMS
from jobs.intake.control import FIELDS
from jobs.publishing.prediction import APPROVAL_FILE, PLAN_FILE, SCORED
from jobs.publishing.publish import MADE_ANEW
from jobs.settings.settings import BY_NAME

from .tables import SETTINGS, SETTINGS_PAGE, block
from .test_docs import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
AT_WORK = ("quick-start.md", "nightly.md", "oncall.md", "auditor.md", "backup-and-upgrade.md", "dashboard.md")


def text_of(page: str) -> str:
    """A page."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[tuple[str, str]]:
    """The fenced blocks of a kind, with the name behind it."""
    return re.findall(rf"^```{kind}(?: (\S+))?\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def commands(page: str) -> Iterator[str]:
    """Every `muster …` that a page shows, in blocks and in its text."""
    for line in text_of(page).splitlines():
        yield from re.findall(r"(?:^|&& |exec )(muster [^`']*?)(?:\s{2,}#.*| &|')?$", line)
        yield from re.findall(r"`(muster [^`]+)`", line)


def understood(line: str) -> None:
    """Fails where the command, or an option of it, is none of muster's."""
    words = shlex.split(line.partition(" > ")[0])[1:]
    if words[0].startswith("-"):
        assert words == ["--version"]
        return
    command = cli.commands[words.pop(0)]
    if isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    known = {flag for each in command.params for flag in (*each.opts, *each.secondary_opts)}
    assert [word for word in words if word.startswith("-") and word != "-" and word not in known] == []


@pytest.mark.parametrize("page", AT_WORK)
def test_every_command_of_a_page_is_one_of_musters(page: str) -> None:
    shown = list(commands(page))

    assert shown
    for line in shown:
        understood(line)


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text_of(page))

    assert [link for link in links if not (DOCS / link).exists()] == []


def test_the_index_leads_to_every_page() -> None:
    assert [page for page in PAGES if page != "README.md" and f"({page})" not in text_of("README.md")] == []


def test_every_exit_code_has_a_recipe() -> None:
    headings = re.findall(r"^## ([0-9, and]+):", text_of("oncall.md"), re.MULTILINE)

    assert sorted(int(code) for heading in headings for code in re.findall(r"\d+", heading)) == sorted(
        map(int, ExitCode)
    )


def test_the_page_of_settings_is_made_from_the_program() -> None:
    found = block("settings").search(SETTINGS_PAGE.read_text(encoding="utf-8"))

    assert found is not None
    assert found[2] == SETTINGS["settings"](), "run: python -m tests.house.tables"


def test_the_settings_of_the_night_are_settings() -> None:
    [(_, document)] = blocks("nightly.md", "toml")

    assert [name for name in tomllib.loads(document) if name not in BY_NAME] == []
    assert all(BY_NAME[name].parse(str(value)) is not None for name, value in tomllib.loads(document).items())


def test_the_control_record_names_every_field_and_its_example_is_right() -> None:
    text = text_of("control-record.md")
    [(_, record)], [(_, file)] = blocks("control-record.md", "json"), blocks("control-record.md", "csv")
    stated, lines = json.loads(record), file.splitlines()
    numbers = [int(line.split(",")[-1]) for line in lines[1:]]

    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(FIELDS)
    assert stated == {
        "rows": len(lines) - 1,
        "columns": lines[0].split(","),
        "hash_total_national_id": sum(numbers) % 10**12,
    }


def test_the_wheel_brings_readme_and_documents() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]

    assert {Path(source).name for source in shared} >= {"docs", "README.md"}
    assert project["project"]["readme"] == "README.md"


def named_in_table(text: str, heading: str) -> set[str]:
    """The files in the first column of the table behind `heading`; `.parquet` behind `outcome.csv` is that one's."""
    found: set[str] = set()
    for row in re.findall(
        r"^\| (.+?) \|", text.partition(heading)[2].partition("\n\n")[2].partition("\n\n")[0], re.MULTILINE
    ):
        before = ""
        for name in re.findall(r"`([^`]+)`", row):
            before = before.partition(".")[0] + name if name.startswith(".") else name
            found.add(before)
    return found


def test_both_pages_of_files_name_all_that_a_run_writes_and_nothing_else() -> None:
    tables = {f"{name}.{kind}" for name in ("reconciliation", "changes") for kind in ("csv", "parquet")}
    sealed = {MANIFEST, SIGNATURE, STAMP, SUMS, "manifest-N.json"}
    written = {*MADE_ANEW, *tables, *sealed, PLAN_FILE, APPROVAL_FILE, SCORED, "sample-N-S.html", "sample-N-S.csv"}
    page = named_in_table(text_of("files.md"), "in `quarantine.csv`")
    packed = named_in_table((ROOT / "jobs/evidence/pack/README-AUDITOR.md").read_text("utf-8"), "## What each file is")

    assert page == written | {"profiles-TIME/ID.pdf"}
    later = {"reconcile-TIME/", "profiles-TIME/"}
    own = {"README-AUDITOR.md", "changes.csv", "changes.parquet"}
    assert packed == (written | later) - own
