"""A server that keeps its connections and answers nothing: frozen, or behind something that swallows what is sent.

No time-out of the system notices it, and a long answer alone proves nothing: an index, a vacuum, a report of millions
of rows rightly take long. So whoever waits asks over another connection whether the server works on the question.
"""

import math
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout

RV = TypeVar("RV")

QUIET_SECONDS = 10.0
"""A server that has said nothing for so long is asked whether it works (chosen), and again after as many."""

LOOK_SECONDS = 5
"""How long a connection may take over which it is asked (chosen)."""

LATE_SECONDS = 2.0
"""How long an answer may be on its way that the server says it has given (chosen)."""

SHORT_SECONDS = 120.0
"""The longest answer to a question that is a short one (chosen): a group commit takes milliseconds, and a server on a
disk that stalls some seconds. Whoever asks the server hears that the process works also when that one is frozen."""


class Silent(psycopg.OperationalError):
    """The server has answered nothing for so long that it is given up."""


class Heard(psycopg.Connection[Any]):
    """A connection that ends when its server does not work on what it was asked; then all raise Silent."""

    works: Callable[["Heard"], bool] = staticmethod(lambda _: False)
    """Whether the server works on what this connection asked. May block for as long as a connection takes."""

    most: float = math.inf
    """Seconds after which an answer is given up even so, at its next look."""

    server: str = ""
    """When the server started, as it said when the newest transaction that writes was begun."""

    pid: int | None = None
    """The server's process that serves this connection; None: a pooler chooses one."""

    def wait(self, gen: PQGen[RV], *args: Any, **named: Any) -> RV:
        """As psycopg's, which calls the generator several times a second while nothing comes. Raises Silent."""
        return super().wait(self._heard(gen), *args, **named)

    def _heard(self, gen: PQGen[RV]) -> Generator[Any, Any, RV]:
        """`gen`, with an eye on the clock."""
        began, limit, lost = time.monotonic(), QUIET_SECONDS, False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                silent = time.monotonic() - began
                if ready:
                    began, limit, lost = time.monotonic(), QUIET_SECONDS, False
                elif silent > limit:
                    if lost or silent > self.most:
                        gen.close()
                        self.pgconn.finish()
                        raise Silent(f"the server has answered nothing for {silent:.0f} s")
                    lost = not self.works(self)
                    limit = time.monotonic() - began + (LATE_SECONDS if lost else QUIET_SECONDS)
                wanted = gen.send(ready)
        except StopIteration as ended:
            result: RV = ended.value
            return result


def at_work(connection: Heard, given: Mapping[str, Any]) -> bool:
    """Whether the server of `connection` works on what that one asked, over another connection made as `given` says.

    True also where that can't be told: the server refuses the connection, or a pooler, which lets others wait for
    ever while we have its last process, chooses who serves us.
    """
    info = connection.info
    here = {"host": info.host, "port": info.port, "connect_timeout": LOOK_SECONDS}
    try:
        with Heard.connect(**{**given, **here, "target_session_attrs": "any"}, autocommit=True) as other:
            if connection.pid is None:
                return True
            asked = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
            return other.execute(asked, [connection.pid]).fetchone() == (1,)
    except (ConnectionTimeout, Silent):
        return False
    except psycopg.OperationalError:
        return True
