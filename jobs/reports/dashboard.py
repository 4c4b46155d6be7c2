"""All nights of a tenant on one page that needs nothing else: trends, what is open, the limit used. Counts, no rows."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from jobs.model import Outcome
from jobs.reports.chart import Columns, columns
from jobs.reports.nights import NARROWEST, Nights
from jobs.reports.rendering import printed_foot, rendered
from jobs.value import value

MARK = '<meta name="generator" content="muster dashboard">'
"""By this a page is known as one that may be written over."""

MOST_LINES = 100
"""Causes that the page shows (chosen): more of them nobody works through on paper."""


@value
class OpenLine:
    """Rows that are open for one cause. `since`: the day of the oldest; `commands`: with what they go on."""

    outcome: str
    reason_code: str
    rows: int
    owner: str
    since: str
    commands: Sequence[str]


@value
class Board:
    """One tenant."""

    system: str
    tenant: str
    nights: Nights
    open_lines: Sequence[OpenLine] = ()
    interrupted: Sequence[str] = ()
    """Runs that died, and that nobody went on with."""
    closed: int = 0
    """Rows that people closed."""
    links: Mapping[str, str] | None = None
    """Where the report of a run lies, seen from the page."""

    @property
    def lines(self) -> Sequence[OpenLine]:
        """The causes that are shown, the most frequent first."""
        return sorted(self.open_lines, key=lambda line: -line.rows)[:MOST_LINES]

    @property
    def more(self) -> int:
        """How many causes are not shown."""
        return max(0, len(self.open_lines) - MOST_LINES)

    @property
    def open_rows(self) -> int:
        """Rows that are open, for whatever cause."""
        return sum(line.rows for line in self.open_lines)

    @property
    def onboarded(self) -> int:
        """Rows that these runs onboarded."""
        return sum(night.outcomes.get(Outcome.ONBOARDED, 0) for night in self.nights.nights)

    @property
    def quota(self) -> Columns:
        """Per cent of the limit that each run used in its busiest window."""
        drawn = columns({"used": [night.used_percent for night in self.nights.nights]}, 100)
        return Columns(max(drawn.width, NARROWEST), drawn.top, drawn.paths, drawn.line)


def dashboard(boards: Sequence[Board], *, ledger: str, made_at: str) -> str:
    """The page as text. `ledger`: the name of its file; `made_at`: UTC, ISO 8601."""
    return rendered(
        "dashboard.html.j2",
        "report.css",
        foot=printed_foot(f"muster, all nights, {made_at[:10]}"),
        mark=Markup(MARK),  # noqa: S704 - our own words # nosec B704
        boards=boards,
        open_rows=sum(board.open_rows for board in boards),
        ledger=ledger,
        made_at=made_at,
    )
