"""Workers as processes of this machine: children of the leader, with its environment and its working directory."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from subprocess import DEVNULL, Popen

from jobs.errors import Unusable
from jobs.run.engines import Names


class LocalEngine:
    """Starts `muster run-shard` in processes of their own. See Engine."""

    def __init__(self) -> None:
        self._children: dict[str, Popen[bytes]] = {}

    def start(self, names: Names) -> None:
        """See Engine. Secrets come by the environment, which nobody else reads; a terminal's Ctrl-C is the leader's."""
        command = [sys.executable, "-P", "-m", "jobs", *names.arguments, "-q"]  # -P: no `jobs` of this folder
        try:
            child = Popen(command, stdin=DEVNULL, stdout=DEVNULL, start_new_session=True)  # noqa: S603 - muster itself
        except OSError as error:
            raise Unusable(f"a worker can't be started: {error.strerror}") from error
        self._children[names.worker] = child

    def ended(self) -> Mapping[str, int]:
        """See Engine."""
        codes = {worker: child.poll() for worker, child in self._children.items()}
        found = {worker: code for worker, code in codes.items() if code is not None}
        for worker in found:
            del self._children[worker]
        return found

    def cancel(self, worker: str) -> None:
        """See Engine."""
        with suppress(KeyError):
            self._children[worker].kill()

    def close(self) -> None:
        """See Engine."""
        for child in self._children.values():
            child.kill()
        for child in self._children.values():
            child.wait()
        self._children.clear()
