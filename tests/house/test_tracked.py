"""What works here works in a clone: no module is on this disk alone."""

import shutil
import subprocess

import pytest

from tests.house.sources import ROOT, files

FOLDERS = ("jobs", "schemas", "tests")


def test_every_module_is_in_the_repository() -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("NOT TESTED: this is no git checkout")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--", *FOLDERS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    known = set(listed.stdout.split("\0"))
    alone = [name for path in files(*FOLDERS) if (name := path.relative_to(ROOT).as_posix()) not in known]

    assert known > {"jobs/__init__.py"}
    assert alone == [], "git add them"
