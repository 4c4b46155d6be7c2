"""The process that `tests/forked.py` has muster forked from: everything is imported, nothing has begun.

Of a start of `python -m jobs` more than nine tenths of the computing goes into imports. Who is forked from here has
them behind it, and is else what it would be: a process of its own, with its own pid, start mark, signals, descriptors,
environment and working directory, which runs `jobs.__main__.main` and ends as Python ends.
"""

import gc
import json
import os
import pkgutil
import signal
import site
import socket
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

LONGEST = 1 << 20
"""Bytes of a request (chosen: an environment has some thousands)."""

LAZY = (
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "pandera.backends.polars.register",
    "pandera.backends.polars.builtin_checks",
    "rich.progress",
    "xlsxwriter",
)
"""Modules of libraries that are imported where they are needed."""

IDLE = frozenset({"jemalloc_bg_thd", "polars-ooc-clea"})
"""Threads that come with the import of polars and wait until there is much memory: those that work come with the first
query. jemalloc knows of forks."""


@dataclass(frozen=True)
class Start:
    """What a process is to be: the words after `python -m jobs`, where it works, its variables, its descriptors 0-2."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    session: bool
    """Whether it leads a session of its own."""
    waiting: bool
    """Whether it stops until it is told to go on."""
    standard: tuple[int, ...]


def load() -> None:
    """Imports all of muster, and compiles the templates of its pages: a process would again, for a tenth of a second.

    Nothing of it may start a thread that is missed: a fork loses it.
    """
    import jobs
    import schemas

    for package in (jobs, schemas):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    for name in (*LAZY, "jobs.__main__"):
        import_module(name)
    rendering = import_module("jobs.reports.rendering")
    for template in Path(rendering.__file__ or "").parent.glob("*.j2"):
        rendering._environment().get_template(template.name)
    threads = {path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")}
    assert threads - {Path("/proc/self/comm").read_text().strip()} <= IDLE, threads
    gc.collect()
    gc.freeze()


def serve(line: socket.socket) -> Start | None:
    """In each process that is forked: what it is to be. Here: None, once nobody asks any more."""
    line.sendall(b"ready")
    while True:
        content, standard, *_ = socket.recv_fds(line, LONGEST, 3)
        if not content:
            return None
        between = os.fork()
        if between == 0:
            _between(line)
            line.close()
            return Start(**json.loads(content), standard=tuple(standard))
        for number in standard:
            os.close(number)
        os.waitpid(between, 0)
        line.sendall(b"orphaned")  # and so the child of the forebear that takes orphans in


def _between(line: socket.socket) -> None:
    """Forks once more and goes away: the next one is an orphan."""
    pid = os.fork()
    if pid:
        line.sendall(str(pid).encode())
        os._exit(0)


def become(start: Start) -> None:
    """Takes on all that tells one process from another."""
    if start.session:
        os.setsid()
    for number, given in enumerate(start.standard):
        os.dup2(given, number)
    for given in start.standard:
        os.close(given)
    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.environment)
    time.tzset()
    sys.path[:0] = filter(None, start.environment.get("PYTHONPATH", "").split(os.pathsep))
    site.execsitecustomize()  # type: ignore[attr-defined]
    sys.argv = ["muster", *start.arguments]
    streams: list[Any] = [
        os.fdopen(number, mode, encoding="utf-8", errors=errors, closefd=False)
        for number, (mode, errors) in enumerate((("r", "strict"), ("w", "strict"), ("w", "backslashreplace")))
    ]
    streams[1].reconfigure(line_buffering=streams[1].isatty())
    streams[2].reconfigure(line_buffering=True)
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if start.waiting:
        os.kill(os.getpid(), signal.SIGSTOP)


def main() -> None:
    """Waits for starts until the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load()
    start = serve(socket.socket(fileno=int(sys.argv[1])))
    if start is not None:
        become(start)
        from jobs.__main__ import main as muster

        muster()


if __name__ == "__main__":
    main()
