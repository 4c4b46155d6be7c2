"""What is needed in many places is written in one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HOMES = {
    r"os\.fsync": {"jobs/atomic.py", "jobs/ledger/files.py", "jobs/privacy/passwords.py"},
    r"O_DIRECTORY": {"jobs/atomic.py"},
    r"mkstemp": set[str](),
    r"\.limit\(window\)": {"jobs/ledger/paging.py"},
    r"\bpseudonym_key\(": {"jobs/settings/settings.py", "jobs/settings/pseudonyms.py"},
    r"secret\(\"pseudonym_key\"": {
        "jobs/settings/settings.py",
        "jobs/settings/pseudonyms.py",
        "jobs/operations/doctor.py",
    },
    r"getpass": {"jobs/os_user.py"},
    r"asyncio\.(gather\(\*\(|Semaphore|TaskGroup)": {"jobs/side_by_side.py"},
    r"(?m)^COMPLETE = ": {"jobs/model.py"},
    r"\"email\": masking\.email": {"jobs/commands/admin_users.py"},
    r"(?m)^\w*WINDOW = [\d_]+$": {"jobs/windows.py"},
    r"cli\.add_command": {"jobs/cli.py"},
}
"""A way of doing something, and the files that may do it. (Those beside the home need what the home does not give: an
open descriptor, a line appended, a check of the key file itself, one field of a known record.)"""


@pytest.mark.parametrize(("way", "homes"), HOMES.items())
def test_what_is_needed_in_many_places_has_one_home(way: str, homes: set[str]) -> None:
    files = (path for path in (ROOT / "jobs").rglob("*.py") if "sandbox" not in path.parts)
    found = {str(path.relative_to(ROOT)) for path in files if re.search(way, path.read_text(encoding="utf-8"))}

    assert found == homes
