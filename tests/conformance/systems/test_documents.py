"""docs/systems.md: the table is what the battery expects, and the sixth system is one that works."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

import jobs.systems
import schemas
from jobs.sandbox.server import Sandbox
from jobs.systems import SYSTEMS
from tests.flow.muster import REPOSITORY, lines
from tests.house.tables import block

from . import subjects
from .acme import served
from .battery import ITEMS
from .bench import Bench, set_up, told
from .subject import Subject
from .subjects import SUBJECTS
from .table import NAME, PAGE, table
from .test_runs import proves_new_rows_end_well_and_once

TEXT = PAGE.read_text(encoding="utf-8")


def shown(place: str, language: str = "python") -> str:
    """The block of code that the page shows under `place`."""
    found = re.search(rf"`{re.escape(place)}`(?:(?!```).)*```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None, place
    return found[1]


@pytest.fixture
def sixth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, running: Sandbox) -> Iterator[Bench]:
    """Acme as the page has it: its two modules, its line of the registry, its entry of the battery, its settings."""
    for package, place in ((schemas, "schemas/acme.py"), (jobs.systems, "jobs/systems/acme.py")):
        path = tmp_path / "program" / place
        path.parent.mkdir(parents=True)
        path.write_text(shown(place), encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(path.parent)])
    invalidate_caches()
    ((name, module),) = eval("{" + shown("jobs/systems/__init__.py") + "}").items()
    monkeypatch.setitem(SYSTEMS, name, module)
    subject: Subject = eval(shown("tests/conformance/systems/subjects.py").strip().rstrip(","), vars(subjects))
    (tmp_path / "work").mkdir()
    with served() as target, set_up(subject, target, running, tmp_path / "work") as bench:
        text = shown("muster.toml", "toml")
        assert tomllib.loads(text)[name]
        (bench.folder / "muster.toml").write_text(text, encoding="utf-8")
        yield bench
    for module in ("schemas.acme", "jobs.systems.acme"):
        sys.modules.pop(module, None)


def test_the_table_is_what_the_battery_expects() -> None:
    found = block(NAME).search(TEXT)

    assert found is not None
    assert found[2] == table(), "run: python -m tests.conformance.systems.table"


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_every_item_of_the_battery_is_expected_of_every_system(subject: Subject) -> None:
    assert sorted(subject.ends) == sorted(ITEMS)


def test_every_system_is_in_the_battery() -> None:
    assert {subject.name for subject in SUBJECTS} == set(SYSTEMS)


@pytest.mark.slow
def test_the_sixth_system_keeps_the_contract_as_the_type_checker_sees_it(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(shown("jobs/systems/acme.py"), encoding="utf-8")
    (tmp_path / "columns.py").write_text(shown("schemas/acme.py"), encoding="utf-8")
    kept = "import acme\nfrom jobs.systems.contract import Adapter, System\nmodule: Adapter = acme\n"
    kept += "system: System = acme.Acme(acme.AcmeSettings())\n"
    (tmp_path / "kept.py").write_text(kept, encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "acme.py", "columns.py", "kept.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


def test_a_sixth_system_costs_what_the_page_shows(sixth: Bench) -> None:
    proves_new_rows_end_well_and_once(sixth)


def test_the_sixth_system_is_compared_too(sixth: Bench) -> None:
    first = sixth.run(sixth.rows(2))
    sixth.target.amend("people", first.rows[0]["customer_id"], email="another@example.org")
    ended = sixth.muster("reconcile", first.folder.name)

    found = next(first.folder.glob("reconcile-*"))
    assert [line["class"] for line in lines(found / "reconciliation.csv")] == ["field_difference", "match"]
    assert (ended.code, [told(line) for line in first.rows]) == (1, ["onboarded"] * 2)
