"""`python -m jobs` and the console script; the one place that turns errors into a sentence and an exit code."""

import json
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from jobs.errors import ExitCode, MusterError, Unusable, Usage

if TYPE_CHECKING:
    import click

    from jobs.clock import Clock

OPEN_FILES = 128
"""Chosen: a run of 16 workers has 45 files open (measured), and each further worker has a connection."""

MOST_OPEN_FILES = 4096
"""Chosen: enough for the 1,024 workers that --concurrency allows."""


PR_SET_DUMPABLE = 4
"""Of prctl(2)."""


class Terminated(SystemExit):
    """SIGTERM or SIGHUP while nobody else listens; loops and tasks let it through as they do a KeyboardInterrupt."""


def main() -> None:
    """Runs the command line and exits with the contract's code."""
    occupy_standard_descriptors()
    sys.unraisablehook = told_again
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` keeps its meaning
            signal.signal(number, terminated)
    try:
        keep_no_core()
        allow_open_files()
        code = status(sys.argv[1:])
    except (MusterError, KeyboardInterrupt, Terminated) as error:  # while muster itself was being loaded
        code = told(failure(error), sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # all is said and done; the exit code shall be that
    try:
        sys.stdout.flush()
    except OSError:  # that was said already: Python shall not try it again
        _without_stdout()
    if hanging():
        os._exit(code)
    sys.exit(code)


def hanging() -> bool:
    """Whether native code still works that was given up when a signal came: Python's own end might wait for it."""
    signals = sys.modules.get("jobs.run.signals")
    return signals is not None and any(thread.name == signals.APART for thread in threading.enumerate())


def terminated(_number: int, _frame: object) -> None:
    """Ends the command in order: what it has begun is given back, and the exit code is the contract's."""
    raise Terminated(int(ExitCode.SIGTERM))


def told_again(swallowed: "sys.UnraisableHookArgs") -> None:
    """Sends a signal once more whose exception came up where Python swallows it, as in callbacks of its import system.

    A moment later, because it would be swallowed again here. Whatever else was swallowed is reported as usual.
    """
    code = getattr(swallowed.exc_value, "exit_code", getattr(swallowed.exc_value, "code", 0))
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


def keep_no_core() -> None:
    """No core of this process is written, and no other process of the user may read its memory: it holds passwords,
    tokens and personal data. Where the system does not offer that, nothing happens."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def allow_open_files() -> None:
    """Raises the soft limit of open files to what a run needs: libraries abort without a word. Raises Unusable."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if allowed < OPEN_FILES:
        words = f"only {hard} files may be open at once, {OPEN_FILES} are needed"
        raise Unusable(words, hint=f"ulimit -n {OPEN_FILES}")
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def status(arguments: list[str], clock: "Clock | None" = None) -> int:
    """The exit code of one command line. Sentences go to stderr, one JSON document to stdout where that was asked for.

    `clock`: what the command tells the time by; None: the real one.
    Of a defect the place is told, never a value.
    """
    import click

    from jobs.cli import cli
    from jobs.commands.invocation import Invocation

    invocation = Invocation(clock)
    try:
        refuse_unwritten(arguments)
        ended = cli.main(arguments, prog_name="muster", standalone_mode=False, obj=invocation)
    except SystemExit as error:
        if error.code in {0, None}:  # what a shell asked of click's completion was answered
            return ExitCode.OK
        if not isinstance(error, Terminated):
            return _without_stdout()  # click ends like this, and only then, when stdout was closed
        return told(failure(error), arguments, printed=invocation.document)
    except click.ClickException as error:
        failed = misused(error, arguments)
        error.show(file=sys.stderr)
        if failed.hint and not failed.hint.endswith("--help"):
            sys.stderr.write(f"  try: {failed.hint}\n")
        return documented(failed, arguments, printed=invocation.document)
    except BaseException as error:
        failed = failure(error)
        code = told(failed, arguments, printed=invocation.document)
        invocation.tell_failure(failed)
        if isinstance(error, OSError) and error.filename is None:
            _without_stdout()  # perhaps it was stdout: Python shall not try it again
        return code
    finally:
        give_back_copies()
    return ended if isinstance(ended, int) else ExitCode.OK  # click gives the code of an Exit back as the result


def give_back_copies() -> None:
    """Removes what the command had here of folders that lie in a bucket, where it had any."""
    copies = sys.modules.get("jobs.storage.copies")
    if copies is not None:
        with suppress(OSError):  # the next command does it
            copies.give_back()


def refuse_unwritten(arguments: list[str]) -> None:
    """Raises Unusable for an argument that is not UTF-8: no report, ledger or document could repeat it."""
    from jobs.disk import shown, written_so

    for each in arguments:
        if not written_so(each):
            raise Unusable(
                f"the argument {shown(each)[:60]!r} is not UTF-8", hint="give the file or folder another name"
            )


def told(failed: MusterError, arguments: list[str], *, printed: bool = False) -> int:
    """Says what failed and what to do, and gives the exit code. `printed`: stdout has its JSON document already."""
    sys.stderr.write(f"muster: {_shown(failed.message)}\n")
    if failed.hint:
        sys.stderr.write(f"  try: {_shown(failed.hint)}\n")
    if not {"-q", "--quiet"}.isdisjoint(arguments):
        from jobs.codes.exits import EXITS

        sys.stderr.write(f"  ended with {int(failed.exit_code)}: {EXITS[failed.exit_code].meaning}\n")
    return documented(failed, arguments, printed=printed)


def _shown(sentence: str) -> str:
    """A sentence as a terminal may have it; a table that is to be pasted keeps its lines."""
    from jobs.printable import printable

    return "\n".join(map(printable, sentence.split("\n")))


def documented(failed: MusterError, arguments: list[str], *, printed: bool) -> int:
    """Gives the exit code, after the JSON document of the failure where the command line asked for one."""
    try:
        from jobs.settings.settings import output_form

        if not printed and output_form(arguments) == "json":
            document = {"schema_version": 1, "error": failed.document()}
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
            sys.stdout.flush()
    except OSError:  # nobody reads, or the disk is full: stderr has said it
        _without_stdout()
    except ImportError:  # which is what failed
        pass
    return failed.exit_code


def misused(error: "click.ClickException", arguments: list[str]) -> MusterError:
    """What click could not make sense of; it may repeat an argument, and arguments may be personal."""
    import click

    from jobs.commands.slips import instead_of_command, instead_of_option
    from jobs.privacy import masking

    context = error.ctx if isinstance(error, click.UsageError) else None
    bare = isinstance(error, click.exceptions.NoArgsIsHelpError)
    words = "a command is missing" if bare else masking.text(error.format_message())
    instead = None
    if isinstance(error, click.NoSuchOption):
        instead = instead_of_option(error.option_name, error.possibilities or ())
    elif context is not None and context.parent is None and arguments and not bare:
        named = next((word for word in arguments if not word.startswith("-")), "")
        group = context.command
        instead = instead_of_command(named, group.list_commands(context)) if isinstance(group, click.Group) else None
    return Usage(words, hint=instead or f"{context.command_path if context else 'muster'} --help")


def failure(error: BaseException) -> MusterError:
    """The failure that `error` stands for, with its sentence and exit code."""
    if isinstance(error, MusterError):
        return error
    if isinstance(error, Terminated):
        return MusterError.ending(ExitCode.SIGTERM, "interrupted")
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":  # click's, which may not be loaded yet
        return MusterError.ending(ExitCode.SIGINT, "interrupted")
    from jobs.disk import unusable

    return _unprinted(error) or unusable(error) or _defect(error)


def _unprinted(error: BaseException) -> MusterError | None:
    """That stdout takes nothing, where `error` says that. Nothing was sent: who sends prints through `show`."""
    from traceback import walk_tb

    printing = any(frame.f_globals.get("__name__") == "click.utils" for frame, _ in walk_tb(error.__traceback__))
    if not printing or not isinstance(error, OSError):
        return None
    return Unusable(f"the output can't be written: {error.strerror}", hint="look at where stdout goes")


def _without_stdout() -> int:
    """Whoever read stdout went away (`| head`); nothing more can be said there, and Python shall not try."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 128 + 13  # what a shell reports of a program that SIGPIPE ended


def _defect(error: BaseException) -> MusterError:
    """Says that muster is at fault, and where: file and line of each frame, never a value."""
    import traceback

    frames = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    words = f"internal error ({type(error).__name__}); the state is saved, nothing is lost"
    return MusterError(f"{words}\n  at {' < '.join(reversed(frames[-6:]))}", hint="muster resume")


if __name__ == "__main__":
    main()
