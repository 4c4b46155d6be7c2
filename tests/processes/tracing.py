"""strace as an instrument: which system calls a run makes on its files and sockets, and a fault at one of them."""

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

CALLS = ("pwrite64", "fdatasync", "fsync", "rename", "openat", "write", "read", "unlink", "mkdir", "ftruncate")
"""System calls in which a run meets a disk or a network. uvloop writes to sockets with `write`, reads with `read`."""

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is not installed")

_LINE = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\((?P<rest>.*)$")


@dataclass(frozen=True)
class Point:
    """The `nth` call of its kind within a thread: strace counts by thread."""

    call: str
    nth: int

    def under(self, fault: str) -> list[str]:
        """The words of a tracer that lets `fault` (`signal=SIGKILL`, `error=EIO`) happen here."""
        inject = f"inject={self.call}:{fault}:when={self.nth}"  # never with --seccomp-bpf: signals don't come then
        return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={self.call}", "-e", inject]


def recording(log: Path, calls: Iterable[str] = CALLS) -> list[str]:
    """The words of a tracer that writes every call to `log`, with the paths behind the descriptors."""
    shown = ["-y", "-s", "0", "-e", f"trace={','.join(calls)}"]
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-o", str(log), *shown]


def points(log: Path, folder: Path) -> dict[str, list[Point]]:
    """For each call, the points at which the recorded run touched a socket or a file below `folder`."""
    counts: Counter[tuple[str, str]] = Counter()
    found: defaultdict[str, set[int]] = defaultdict(set)
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        counts[match["thread"], match["call"]] += 1
        arguments = match["rest"].replace(f"AT_FDCWD<{folder}>", "AT_FDCWD")
        if f"{folder}/" in arguments or "<socket:" in arguments or _relative(match["call"], arguments):
            found[match["call"]].add(counts[match["thread"], match["call"]])
    return {call: [Point(call, nth) for nth in sorted(numbers)] for call, numbers in found.items()}


def _relative(call: str, arguments: str) -> bool:
    """Whether a path is relative, and so below the working directory."""
    return call in {"openat", "rename", "unlink", "mkdir"} and re.match(r'(AT_FDCWD, )?"[^/"]', arguments) is not None
