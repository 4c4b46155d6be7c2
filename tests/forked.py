"""muster in a process of its own, without the second of computing that Python's imports cost.

`Forked([...])` is `subprocess.Popen([sys.executable, "-m", "jobs", ...])`: a child of this process, to be waited for,
signalled and killed (on Linux). It is forked from one process a session that has imported everything
(`tests/zygote.py`). Tests of
imports, of what the process list shows, of tracers, limits and namespaces start Python itself.
"""

import atexit
import ctypes
import inspect
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]

PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h."""

_LOCK = threading.Lock()


class Forked(subprocess.Popen[str]):
    """`python -m jobs ARGUMENTS` under way. `options` are those of Popen: cwd, env, stdout, start_new_session, …

    `waiting`: it stops before its first step, until it gets SIGCONT.
    """

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], *, waiting: bool = False, **options: Any
    ) -> None:
        self._waiting = waiting
        super().__init__(list(arguments), env=env, text=True, **options)
        if waiting:
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def _execute_child(self, *given: Any, **named: Any) -> None:
        """What Popen does once it has made the pipes."""
        plain = subprocess.Popen._execute_child  # type: ignore[attr-defined]
        asked = inspect.signature(plain).bind(self, *given, **named).arguments
        pipes = [asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
        standard = [number if pipe == -1 else pipe for number, pipe in enumerate((pipes[0], pipes[3], pipes[5]))]
        request = {
            "arguments": asked["args"],
            "folder": str(asked["cwd"] or Path.cwd()),
            "environment": dict(asked["env"]),
            "session": bool(asked["start_new_session"]),
            "waiting": self._waiting,
        }
        try:
            self.pid = _fork(json.dumps(request).encode(), standard)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def _fork(request: bytes, standard: Sequence[int]) -> int:
    """The pid of a new child of this process."""
    with _LOCK:
        line = _zygote()
        _takes_orphans(True)
        try:
            socket.send_fds(line, [request], list(standard))
            pid = int(line.recv(64))
            assert line.recv(64) == b"orphaned"
        finally:
            _takes_orphans(False)
    return pid


def _takes_orphans(yes: bool) -> None:
    assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0) == 0


@cache
def _zygote() -> socket.socket:
    """The line to the process that forks; it ends when the line does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.zygote", str(theirs.fileno())],
            cwd=REPOSITORY,
            env={name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    ours.settimeout(120)
    assert ours.recv(64) == b"ready"

    def end() -> None:
        ours.close()
        running.wait(10)

    atexit.register(end)
    return ours
