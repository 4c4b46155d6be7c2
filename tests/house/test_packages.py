"""What is handed out: the same bytes wherever it is built, with its licence and the list of what it stands on."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .sbom import FILE, ROOT, components


def test_the_list_of_components_is_that_of_the_lock_file() -> None:
    listed = json.loads(FILE.read_text(encoding="utf-8"))["components"]
    wanted = components((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert [{name: value for name, value in each.items() if name != "licenses"} for each in listed] == wanted, (
        "make lock"
    )
    assert len(wanted) > 30
    assert all(each["hashes"] for each in wanted)


@pytest.mark.slow
def test_wheel_and_sdist_are_the_same_bytes_wherever_they_are_built(tmp_path: Path) -> None:
    made: list[dict[str, str]] = []
    for place, umask in (("here", 0o022), ("there/deep", 0o077)):
        copy = tmp_path / place
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        before = os.umask(umask)
        for name in filter(None, names.split("\0")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
        subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", "dist"], cwd=copy, check=True)
        os.umask(before)
        built = sorted((copy / "dist").iterdir())
        made.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built})
    assert len(made[0]) == 2
    assert made[0] == made[1]
    wheel = next((tmp_path / "here" / "dist").glob("*.whl"))
    with zipfile.ZipFile(wheel) as packed:
        inside = packed.namelist()
    assert any(name.endswith("licenses/LICENSE") for name in inside)
    assert any(name.endswith("sboms/sbom.cdx.json") for name in inside)
    with tarfile.open(next((tmp_path / "here" / "dist").glob("*.tar.gz"))) as source:
        assert any(name.endswith("/requirements.lock") for name in source.getnames())
