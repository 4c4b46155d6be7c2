"""What a system must offer to be served: the seam between one vendor's rules and everything that is shared."""

from collections.abc import Mapping
from typing import Any, Protocol

from jobs.sandbox.bench import Bench
from jobs.sandbox.call import Call, Subject
from jobs.sandbox.reply import Reply


class System(Protocol):
    """A vendor's platform in memory. No method waits: a call is answered in one step, so its commit is atomic."""

    name: str
    prefix: str
    """Path below which it is mounted, without a slash at the end."""
    base_path: str
    """What follows the server's root in the base URL that its client is given; empty: nothing."""

    def identify(self, call: Call) -> Subject:
        """Operation, credential and customer of `call`; never raises."""
        ...

    def answer(self, call: Call) -> Reply:
        """Works on the call; commits through `call.commit`."""
        ...

    def error(self, status: int) -> Reply:
        """A refusal with `status` in the vendor's own form, for faults."""
        ...

    def reset(self) -> None:
        """Forgets everything; reads the settings again."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """Counts, ids and keys of what is stored; no personal values."""
        ...

    def plant(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Stores a customer past all rules and returns its ids; ValueError when it can't be stored."""
        ...

    def amend(self, kind: str, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes or deletes the record of `kind` (`customers` ...) whose id is `name`; KeyError: there is none."""
        ...


class Dialect(System, Protocol):
    """A system that is made from the shared state alone."""

    def __init__(self, bench: Bench) -> None: ...
