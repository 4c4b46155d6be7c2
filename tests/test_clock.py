"""The boot's clock is one for all processes of a boot, and is told apart where it is not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import clock
from jobs.clock import BOOT_ID, Clock, Stamp, boot_id

PRINTED = (
    "import json; from jobs.clock import Clock; s = Clock().stamp(); print(json.dumps([s.boot, s.up_ms, s.wall_ms]))"
)


def stamped(*before: str) -> Stamp:
    """The stamp of another process, which `before` starts."""
    ended = subprocess.run([*before, sys.executable, "-c", PRINTED], capture_output=True, text=True, check=True)
    return Stamp(*json.loads(ended.stdout))


def test_processes_of_a_boot_share_its_clock() -> None:
    before, there, after = Clock().stamp(), stamped(), Clock().stamp()

    assert before.boot == there.boot == after.boot
    assert before.up_ms <= there.up_ms <= after.up_ms


def test_a_process_whose_time_namespace_has_another_clock_is_of_another_boot() -> None:
    unshare = shutil.which("unshare")
    wanted = [unshare or "", "--time", "--boottime", "86400", "--fork"]
    if unshare is None or subprocess.run([*wanted, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no time namespace can be made here")

    there, after = stamped(*wanted), Clock().stamp()

    assert there.up_ms > after.up_ms
    assert there.boot == f"{after.boot}+86400.0"
    assert stamped(unshare, "--time", "--fork").boot == after.boot


def test_where_the_kernel_does_not_tell_its_boot_nobody_elses_times_are_ones_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "no such file")
    names = []
    for _ in range(2):
        boot_id.cache_clear()
        names.append(Clock().boot())
        assert Clock().boot() == names[-1]
    boot_id.cache_clear()

    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)


@pytest.mark.skipif(not BOOT_ID.exists(), reason="no Linux")
def test_the_boot_is_the_kernels() -> None:
    assert Clock().boot().startswith(BOOT_ID.read_text().strip())
