"""A private folder for the files on the way: staged and validated rows, which are personal, gone when the command ends.

It lies beside the results and not in the system's temporary folder, which others may read and which may be small. So
several commands may see it, from other containers and hosts too: its name says whose it is, and a file in it beats.
What a dead process left goes at once where the kernel can say that it is dead, else when its beat was watched for
`PULSE.dead` and did not move: by a command that lasts so long, or by one that waits for it.
"""

import math
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from jobs.alive import Process, Pulse, Watch, beating
from jobs.clock import Clock
from jobs.disk import advice
from jobs.errors import Unusable

PREFIX = ".work-"

PULSE = Pulse(beat=5.0, dead=120.0, look=5.0)
"""Chosen: network file systems may show others what a file was a minute ago (`acregmax` of nfs(5): 60 s)."""

LEFT_SECONDS = 7 * 86_400
"""An older muster's folder, whose name tells no boot, counts as left when nothing changed in it for a week (chosen)."""

_BEAT = "beat"
_OLD = re.compile(r"(\d+)-(\d+)")


@contextmanager
def workspace(
    out: Path,
    clock: Clock,
    *,
    stays: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda _: None,
    pulse: Pulse = PULSE,
) -> Iterator[Path]:
    """A new folder (0700) below `out`, removed at the end. Raises Unusable when it can't be made.

    What dead processes left is removed too. Where only watching can tell, and the block was too short for it, watching
    goes on at its end for as long as `stays` gives True; `tell` is told so. Otherwise it is left to a later command.
    """
    made = not out.exists()
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = out / f"{PREFIX}{Process.me().tag}_{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700, parents=True)  # again, where a run that left nothing has just removed them
        beat = folder / _BEAT
        os.close(os.open(beat, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        hint = advice(out, error.errno, "--work or --out")
        raise Unusable(f"{out} can't be written: {error.strerror}", hint=hint) from error
    try:
        others = Others.beside(folder, pulse, clock)

        def keep() -> bool:
            beat.write_bytes(b"%d\n" % int(clock.monotonic() * 1e9))
            others.look()
            return True

        with beating(keep, pulse.beat):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if made:
            with suppress(OSError):
                out.rmdir()  # only when nothing was left there
    if others and stays():
        tell(f"{others}: watching for up to {pulse.dead:g} s whether anybody works there, else its data are removed")
    while others and stays():
        clock.wait(min(1.0, pulse.look))
        others.look()


def sweep_dead(out: Path) -> None:
    """Removes the workspaces below `out` of processes that the kernel calls dead; others are left to `workspace`."""
    for folder in out.glob(f"{PREFIX}*"):
        owner = Process.tagged(folder.name.removeprefix(PREFIX).rpartition("_")[0])
        if owner is not None and owner.lives() is False:
            shutil.rmtree(folder, ignore_errors=True)


class Others:
    """Workspaces of processes of whom the kernel can't say whether they live: each is removed when its beat stopped."""

    def __init__(self, watches: Mapping[Path, Watch]) -> None:
        self._watches = dict(watches)

    @classmethod
    def beside(cls, own: Path, pulse: Pulse, clock: Clock) -> "Others":
        """Finds the workspaces beside `own`, which was just made. It removes those of the dead."""
        doubtful = []
        for folder in own.parent.glob(f"{PREFIX}*"):
            lives = _lives(folder, own)
            if lives is None:
                doubtful.append(folder)
            elif not lives:
                shutil.rmtree(folder, ignore_errors=True)
        others = cls({folder: Watch(pulse, clock) for folder in doubtful})
        others.look()
        return others

    def __bool__(self) -> bool:
        return bool(self._watches)

    def __str__(self) -> str:
        return ", ".join(str(folder) for folder in self._watches)

    def look(self) -> None:
        """Looks at each once. What moved is somebody's at work, and no longer looked at."""
        for folder, watch in list(self._watches.items()):
            watch.saw(_sign(folder / _BEAT))
            if watch.dead:
                shutil.rmtree(folder, ignore_errors=True)
            if watch.dead or watch.moved:
                del self._watches[folder]


def _lives(folder: Path, own: Path) -> bool | None:
    """Whether the owner of a workspace lives, as far as its name tells: as of `Process.lives`."""
    tag = folder.name.removeprefix(PREFIX)
    if found := _OLD.fullmatch(tag):
        perhaps = replace(Process.me(), pid=int(found[1]), started=int(found[2]))
        return bool(perhaps.lives()) or own.stat().st_mtime - _changed(folder) < LEFT_SECONDS
    owner = Process.tagged(tag.rpartition("_")[0])
    return True if owner is None else owner.lives()


def _changed(folder: Path) -> float:
    """When something in it was changed last, by the clock of its file system; inf where that can't be read."""
    try:
        return max(path.lstat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return math.inf


def _sign(beat: Path) -> object:
    """What is equal as long as `beat` does not move. Opened, because that makes network file systems ask again."""
    try:
        with beat.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
