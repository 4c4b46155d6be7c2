"""`python -m jobs` and the console script; the one place that turns errors into a sentence and an exit code."""

import os
import resource
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.errors import MusterError

OPEN_FILES = 128
"""Chosen: a run of 16 workers has 45 files open (measured), and each further worker has a connection."""

MOST_OPEN_FILES = 4096
"""Chosen: enough for the 1,024 workers that --concurrency allows."""


def main() -> None:
    """Runs the command line and exits with the contract's code."""
    occupy_standard_descriptors()
    allow_open_files()
    sys.unraisablehook = told_again
    try:
        code = status(sys.argv[1:])
    except KeyboardInterrupt:  # while muster itself was being loaded
        code = 128 + 2
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # all is said and done; the exit code shall be that
    try:
        sys.stdout.flush()
    except OSError:  # said already: Python shall not try it again
        _without_stdout()
    if hanging():
        os._exit(code)
    sys.exit(code)


def hanging() -> bool:
    """Whether native code still works that was given up when a signal came: Python's own end might wait for it."""
    signals = sys.modules.get("jobs.signals")
    return signals is not None and any(thread.name == signals.APART for thread in threading.enumerate())


def told_again(swallowed: "sys.UnraisableHookArgs") -> None:
    """Sends a signal once more whose exception came up where Python swallows it, as in callbacks of its import system.

    A moment later, because it would be swallowed again here. Whatever else was swallowed is reported as usual.
    """
    code = getattr(swallowed.exc_value, "exit_code", 0)
    if swallowed.exc_type is KeyboardInterrupt:
        code = 128 + signal.SIGINT
    if code not in {128 + signal.SIGINT, 128 + signal.SIGTERM}:
        sys.__unraisablehook__(swallowed)
        return
    from threading import Timer

    Timer(0.05, os.kill, (os.getpid(), code - 128)).start()


def occupy_standard_descriptors() -> None:
    """Opens /dev/null for those of 0, 1 and 2 that were closed.

    Else the ledger or a report would take their place, and what a library prints would land in it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


def allow_open_files() -> None:
    """Raises the soft limit of open files to what a run needs, or ends with 2: libraries abort without a word."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if allowed < OPEN_FILES:
        sys.stderr.write(f"muster: only {hard} files may be open at once, {OPEN_FILES} are needed\n")
        sys.stderr.write(f"  try: ulimit -n {OPEN_FILES}\n")
        sys.exit(2)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def status(arguments: list[str]) -> int:
    """The exit code of one command line. Sentences go to stderr; a defect is written to a file, not to the screen."""
    import click

    from jobs.cli import cli
    from jobs.disk import unusable
    from jobs.errors import ExitCode, MusterError

    try:
        ended = cli.main(arguments, prog_name="muster", standalone_mode=False)
    except SystemExit:
        return _without_stdout()  # click ends like this, and only then, when stdout was closed
    except click.Abort:
        return ExitCode.SIGINT
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return ExitCode.UNUSABLE
    except MusterError as error:
        return _told(error)
    except KeyboardInterrupt:
        click.echo("muster: interrupted", err=True)
        return ExitCode.SIGINT
    except Exception as error:
        refused = _unprinted(error) or unusable(error)
        return _told(refused) if refused else _defect(error)
    return ended if isinstance(ended, int) else ExitCode.OK  # click gives the code of an Exit back as the result


def _unprinted(error: Exception) -> "MusterError | None":
    """That stdout takes nothing, where `error` says that."""
    from traceback import walk_tb

    from jobs.errors import Unusable

    printing = any(frame.f_globals.get("__name__") == "click.utils" for frame, _ in walk_tb(error.__traceback__))
    if not printing or not isinstance(error, OSError):
        return None
    return Unusable(f"the output can't be written: {error.strerror}", hint="look at where stdout goes")


def _without_stdout() -> int:
    """Whoever read stdout went away (`| head`); nothing more can be said there, and Python shall not try."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 128 + 13  # what a shell reports of a program that SIGPIPE ended


def _told(error: "MusterError") -> int:
    """Says what failed and what to do, and gives the exit code."""
    import click

    click.echo(f"muster: {error.message}", err=True)
    if error.hint:
        click.echo(f"  try: {error.hint}", err=True)
    return error.exit_code


def _defect(error: Exception) -> int:
    """Says that muster is at fault, and where: file and line of each frame, never a value."""
    import traceback

    import click

    from jobs.errors import ExitCode

    frames = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    click.echo(f"muster: internal error ({type(error).__name__}); the state is saved, nothing is lost", err=True)
    click.echo("  at " + " < ".join(reversed(frames[-6:])), err=True)
    click.echo("  try: muster resume", err=True)
    return ExitCode.INTERNAL


if __name__ == "__main__":
    main()
