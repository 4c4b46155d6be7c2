"""The type checker as it meets settings: what is misspelt or of another type does not get past it."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from jobs.settings.precedence import settings
from jobs.settings.settings import OPTIONS, Settings

ROOT = Path(__file__).parents[1]

CODE = """
from pathlib import Path
from jobs.settings.option import option
from jobs.settings.settings import Settings
from jobs.settings.values import seconds

def right(settings: Settings) -> tuple[float, Path, int, str]:
    return settings.lock_timeout, settings.out, settings.concurrency, settings.need("tenant")

def misspelt(settings: Settings) -> object:
    return settings.lock_timout

def of_another_type(settings: Settings) -> str:
    return settings.lock_timeout

def perhaps_missing(settings: Settings) -> str:
    return settings.tenant

def changed(settings: Settings) -> None:
    settings.lock_timeout = 1.0

def needed_by_no_name(settings: Settings) -> object:
    return settings.need("tenent")

class Declared:
    fits: float = option(0.0, seconds, "SECONDS", "")
    other_default: float = option(None, seconds, "SECONDS", "")
    other_text: Path = option(Path(), seconds, "SECONDS", "")
"""


def test_what_is_wrong_with_a_setting_fails_the_type_check(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    known = request.config.cache  # what the checker knows of all that is not new takes it twenty times the rest
    assert known is not None
    snippet = tmp_path / "snippet.py"
    snippet.write_text(CODE, encoding="utf-8")
    arguments = [
        "--strict",
        "--follow-imports=silent",
        f"--cache-dir={known.mkdir('types')}",
        "--no-error-summary",
        str(snippet),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = CODE.splitlines()
    refused = {lines[int(said.split(":")[1]) - 1].strip() for said in done.stdout.splitlines() if ": error:" in said}

    assert refused == {
        "return settings.lock_timout",
        "return settings.lock_timeout",
        "return settings.tenant",
        "settings.lock_timeout = 1.0",
        'return settings.need("tenent")',
        'other_default: float = option(None, seconds, "SECONDS", "")',
        'other_text: Path = option(Path(), seconds, "SECONDS", "")',
    }, done.stdout + done.stderr


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        settings({}, environ={}).lock_timeout = 1.0  # type: ignore[misc]


def test_every_field_is_an_option_but_the_file_the_origins_and_the_tables() -> None:
    assert set(Settings.__dataclass_fields__) - {each.name for each in OPTIONS} == {
        "file",
        "origins",
        "columns",
        "dates",
        "values",
        "systems",
    }
