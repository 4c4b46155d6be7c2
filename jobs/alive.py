"""Who a process is, and whether the one that left its mark still lives. For all owners: of a lease, of a workspace.

Two ways to know. Within one boot and one pid namespace the kernel is asked for the pid: at once, and for sure. From
everywhere else (another container, another host, after a restart) only what moves shows life: a heart that beats,
watched on the observer's own monotonic clock. Wall clocks differ and jump; they decide nothing here.
"""

import os
import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.clock import Clock
from jobs.value import value

TRY_AGAIN_SECONDS = 0.5
"""After a beat that could not be made (chosen): soon, for others count the time without one."""

_BOOT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAG = re.compile(rf"(?P<boot>{_BOOT.pattern}|0)_(?P<namespace>\d+\.\d+|0)_(?P<pid>\d+)_(?P<started>\d+)")
_UNKNOWN = "0"


@value
class Process:
    """One process, told apart from all others of all machines as far as `boot` and `namespace` are known."""

    pid: int
    started: int
    """Its start mark: clock ticks since boot; 0: not known. Tells a pid that was given again from the one before."""
    host: str
    """What people call its machine; two containers may share it, and it decides nothing."""
    boot: str | None
    """The boot id of its kernel; None: not known."""
    namespace: str | None
    """Where `pid` and `started` are such numbers: its pid and time namespace; None: not known."""

    @classmethod
    def me(cls) -> "Process":
        """This process."""
        found = _state_and_start("self")
        return cls(os.getpid(), 0 if found is None else found[1], socket.gethostname(), _boot(), _namespace())

    @classmethod
    def tagged(cls, tag: str) -> "Process | None":
        """The process that `tag` names; None when it is no tag."""
        found = _TAG.fullmatch(tag)
        if found is None:
            return None
        boot, namespace = (None if found[name] == _UNKNOWN else found[name] for name in ("boot", "namespace"))
        return cls(int(found["pid"]), int(found["started"]), "", boot, namespace)

    @property
    def tag(self) -> str:
        """All but the host in a form that a file's name can hold."""
        return f"{self.boot or _UNKNOWN}_{self.namespace or _UNKNOWN}_{self.pid}_{self.started}"

    def lives(self) -> bool | None:
        """Whether it still runs. None: the kernel can't tell this process, so only a heartbeat can."""
        if self.boot is None or self.namespace is None or self.pid < 1:
            return None
        if (self.boot, self.namespace) != (_boot(), _namespace()):
            return None
        found = _state_and_start(str(self.pid)) if _proc_is_ours() else None
        if found is None:  # hidden from us, of another namespace, or there is no such process
            return None if _answers(self.pid) else False
        state, started = found
        if state in "ZX":
            return False
        return started == self.started if self.started else None

    def whereabouts(self) -> str:
        """Where it is as seen from here, for a person; for one of whom `lives` gives None."""
        boot, namespace = _boot(), _namespace()
        if self.boot is None or self.namespace is None:
            return "of a muster that did not say where its pid counts"
        if boot is None or namespace is None:
            return "where, can't be told from here: this system shows no boot id or no namespaces"
        if self.boot == boot:
            return (
                "on this machine, but out of sight"
                if self.namespace == namespace
                else "in another container of this machine"
            )
        if self.host == socket.gethostname():
            return "on a machine of the same name, or on this one before it was started again"
        return "on another host"


@value
class Pulse:
    """How a heart beats and how it is watched, in seconds."""

    beat: float
    dead: float
    """So long a beat has to be missed, as watched, until its process counts as dead."""
    look: float
    """From one look to the next."""


class Watch:
    """For how long a sign of life has not moved.

    Only watched time counts: of what lies between two looks, no more than twice the usual. Who was frozen itself,
    perhaps together with the one it watches, has seen nothing meanwhile.
    """

    def __init__(self, pulse: Pulse, clock: Clock) -> None:
        self.pulse, self.clock = pulse, clock
        self.watched = 0.0
        """Seconds in all."""
        self.silent = 0.0
        """Seconds since it last moved, or since the first look."""
        self.moved = False
        """Whether it was ever seen moving: a heart that beat while it was watched."""
        self._sign: object = self
        self._looked: float | None = None

    @property
    def dead(self) -> bool:
        """Whether it did not move for so long that its process counts as dead."""
        return self.silent >= self.pulse.dead

    def saw(self, sign: object) -> None:
        """A look found `sign`: anything that is equal as long as nothing moved."""
        now = self.clock.monotonic()
        passed = 0.0 if self._looked is None else min(now - self._looked, 2 * self.pulse.look)
        self.watched += passed
        self.silent += passed
        if self._sign is not self and sign != self._sign:
            self.silent, self.moved = 0.0, True
        self._sign, self._looked = sign, now

    def saw_nothing(self) -> None:
        """A look was impossible, and so may a beat have been: the time up to the next one does not count."""
        self._looked = None


@contextmanager
def beating(beat: Callable[[], bool], seconds: float) -> Iterator[None]:
    """Calls `beat` every `seconds`, in a thread of its own, until the block ends or it returns False.

    What `beat` raises is swallowed, whatever it is, and it is called again soon: a heart that stops for an error looks
    like death to others. The wait is that of `poll`, which no wall clock shortens or lengthens; an Event's follows the
    wall clock where the C library knows no other way (musl).
    """
    ended, end = socket.socketpair()
    poll = select.poll()
    poll.register(ended, select.POLLIN)

    def keep() -> None:
        pause, goes_on = seconds, True
        while goes_on and not poll.poll(pause * 1000):
            pause = min(seconds, TRY_AGAIN_SECONDS)
            with suppress(Exception):
                goes_on = beat()
                pause = seconds

    heart = threading.Thread(target=keep, name="heartbeat", daemon=True)
    with ended, end:
        heart.start()
        try:
            yield
        finally:
            end.close()
            heart.join()


def _boot() -> str | None:
    """The boot id of the kernel; None where it is masked, or there is none."""
    with suppress(OSError):
        found = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8", errors="replace").strip()
        return found if _BOOT.fullmatch(found) else None
    return None


def _namespace() -> str | None:
    """The numbers of this process's pid and time namespaces; None where they can't be read.

    The time namespace belongs to it because it shifts start marks. Kernels before 5.6 know none: 0. A number of a
    namespace that is gone may be given again; then all its processes are gone too, and start marks tell.
    """
    numbers = []
    for kind in ("pid", "time"):
        try:
            found = re.fullmatch(rf"{kind}:\[(\d+)\]", str(Path(f"/proc/self/ns/{kind}").readlink()))
        except FileNotFoundError:
            if kind == "pid":
                return None
            numbers.append("0")
            continue
        except OSError:
            return None
        if found is None:
            return None
        numbers.append(found[1])
    return ".".join(numbers)


def _state_and_start(name: str) -> tuple[str, int] | None:
    """State and start mark of the process `name` in /proc; None when they can't be read."""
    try:
        stat = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def _proc_is_ours() -> bool:
    """Whether /proc shows pids as this process counts them: it may be that of a container around it."""
    with suppress(OSError):
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^NStgid:\s*(.*)$", status, re.MULTILINE)  # one number for each namespace down to ours
        return found is not None and found[1].split() == [str(os.getpid())]
    return False


def _answers(pid: int) -> bool:
    """Whether there is a process `pid` in this namespace, whatever /proc shows of it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
