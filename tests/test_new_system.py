"""`muster new-system`: a further system in a checkout, whose tests all pass at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.cli import cli
from jobs.errors import Unusable
from jobs.operations.new_system import FILES, LINES, begin

ROOT = Path(__file__).resolve().parents[1]
CHANGED = sorted({file for file, _, _ in LINES})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Those files of this checkout that a new system is written into or beside."""
    for file in CHANGED:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for place in ("schemas", "docs/coverage"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_system_is_new_files_and_a_line_in_each_list(checkout: Path) -> None:
    before = contents(checkout)
    told = CliRunner().invoke(cli, ["new-system", "globex", "--into", str(checkout)])

    after = contents(checkout)
    assert told.exit_code == 0, told.output
    assert sorted(set(after) - set(before)) == sorted(place.format(name="globex") for place in FILES.values())
    assert sorted(file for file in before if before[file] != after[file]) == CHANGED
    assert not any(b"@name@" in content or b"@Title@" in content or b"@NAME@" in content for content in after.values())
    assert all(file in told.output for file in after)
    for file, content in after.items():
        if file.endswith(".py"):
            compile(content, file, "exec")


def test_the_adapter_has_less_than_a_hundred_lines(checkout: Path) -> None:
    begin("globex", checkout)

    lines = (checkout / "jobs/systems/globex.py").read_text(encoding="utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) < 100


@pytest.mark.parametrize("name", ["eclipse", "Globex", "g", "7up", "two-words", "../etc", ""])
def test_a_name_that_can_not_be_one_makes_nothing(checkout: Path, name: str) -> None:
    before = contents(checkout)
    with pytest.raises(Unusable):
        begin(name, checkout)

    assert contents(checkout) == before


def test_nothing_is_made_twice_or_outside_of_a_checkout(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin("globex", checkout)
    before = contents(checkout)

    for name, folder in (("globex", checkout), ("initech", tmp_path_factory.mktemp("elsewhere"))):
        with pytest.raises(Unusable, match="nothing was made"):
            begin(name, folder)
    assert contents(checkout) == before
    begin("initech", checkout)
    assert b'"initech": "jobs.systems.initech"' in (checkout / "jobs/systems/__init__.py").read_bytes()


@pytest.mark.slow
def test_all_tests_of_the_new_system_pass_at_once(tmp_path: Path) -> None:
    for part in ("jobs", "schemas", "tests", "docs", "sample_data", "bench", "pyproject.toml", "README.md"):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    begin("globex", tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def ran(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    ran("tests.conformance.systems.table")
    ran("mypy", "--strict", "jobs/systems/globex.py", "jobs/sandbox/globex.py", "schemas/globex.py")
    told = ran("pytest", "-q", "-p", "no:cacheprovider", "tests/conformance/systems", "-k", "globex or documents")
    assert "passed" in told
    ran("pytest", "-q", "-p", "no:cacheprovider", "tests/house/test_coverage.py", "tests/house/test_steps.py")
