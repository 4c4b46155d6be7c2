"""What a process holds in its memory stays there."""

import subprocess
import sys

import pytest

ASKING = """
import ctypes, resource
from jobs.__main__ import keep_no_core
keep_no_core()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_core_is_written_and_nobody_may_look_inside() -> None:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0) 0\n"
