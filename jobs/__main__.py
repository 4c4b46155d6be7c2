"""`python -m jobs` and the console script; the one place that turns errors into a sentence and an exit code."""

import errno
import os
import re
import resource
import signal
import sys

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
    sys.exit(code)


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
        click.echo(f"muster: {error.message}", err=True)
        if error.hint:
            click.echo(f"  try: {error.hint}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        click.echo("muster: interrupted", err=True)
        return ExitCode.SIGINT
    except OSError as error:
        return _full(error)
    except ImportError as error:  # too many open files, a disk that fails, half an installation
        click.echo(f"muster: a library can't be loaded: {error.msg}", err=True)
        click.echo("  try: again; if that does not help, install muster anew", err=True)
        return ExitCode.INTERNAL
    except Exception as error:
        refused = _refused_by_system(error)
        return _full(refused) if refused else _defect(error)
    return ended if isinstance(ended, int) else ExitCode.OK  # click gives the code of an Exit back as the result


def _without_stdout() -> int:
    """Whoever read stdout went away (`| head`); nothing more can be said there, and Python shall not try."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 128 + 13  # what a shell reports of a program that SIGPIPE ended


def _refused_by_system(error: Exception) -> OSError | None:
    """What the system refused, where a library reports it as an error of its own; None: it is something else."""
    wrapped = next((each for each in error.args if isinstance(each, OSError)), None)
    if wrapped is not None:
        return wrapped
    found = re.search(r"\(os error ([0-9]{1,3})\)|transport error", str(error))
    if found is None:
        return None
    number = int(found[1] or errno.EIO)  # "transport error" is all that its Parquet writer says of a full disk
    return OSError(number, os.strerror(number), "a file of this run")


def _full(error: OSError) -> int:
    """A file, or stdout itself, could not be written or read: the system's own words, and which file."""
    import click

    from jobs.errors import ExitCode

    where = f": {error.filename}" if error.filename else ""
    click.echo(f"muster: {error.strerror or f'a file or the network failed ({error})'}{where}", err=True)
    click.echo("  try: free the disk or mend the permissions, then muster resume", err=True)
    if error.filename is None:
        _without_stdout()  # perhaps it was stdout: Python shall not try it again
    return ExitCode.INTERNAL


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
