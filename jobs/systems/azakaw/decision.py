"""The last step, what became of the customer: a snapshot of its state, or compliance's decision where it is awaited."""

from dataclasses import dataclass, field

from jobs.systems.azakaw.customer import REJECTED, verdict_on
from jobs.systems.azakaw.forms import Forms
from jobs.systems.azakaw.submissions import STATES, ListMissing, Submissions
from jobs.systems.messages import Reader, ReadFailed, Reply, Request
from jobs.systems.row import View
from jobs.systems.shared_list import Reading
from jobs.systems.verdict import Done, Finding, Undecided, Verdict

APPROVED = "Approved"
"""The one state that says yes; all but it and Rejected are on the way."""

DECISIONS = frozenset({APPROVED, REJECTED})


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """Reads the state in the list; nothing is ever written. `awaited`: it is only done once compliance has decided.

    A state that is on no page is no decision, and does not say that compliance has not refused.
    """

    forms: Forms
    awaited: bool
    name: str = "decision"
    resends: int | None = 0
    settle_seconds: float | None = None
    _judged_by: dict[str, int] = field(default_factory=dict)
    """By the row's key: the number of the reading that it was last judged by, so that the next one is newer."""

    async def look(self, reader: Reader, view: View) -> Finding:
        """The state, if it is shown yet: the customer is there, so what can't be read now is read again later."""
        submission_id = view.facts["customer_id"]
        try:
            reading = await self._reading(reader, view, submission_id)
        except ListMissing:
            return Undecided(polled=False)
        except ReadFailed as error:
            return Undecided(trace=error.trace)
        self._judged_by[view.row.key] = reading.number
        found = reading.content.get(submission_id)
        if found is None:
            return Undecided()
        verdict = verdict_on(found, {}, {})
        if isinstance(verdict, Done) and found.state not in (DECISIONS if self.awaited else STATES):
            return Undecided(verdict.facts)
        return verdict

    async def _reading(self, reader: Reader, view: View, submission_id: str) -> Reading[Submissions]:
        """One that the row was not judged by before, and that is not from before the customer was added."""
        index = self.forms.of_row(view.row, view.facts)[0]
        reading = await index.reading(reader, after=self._judged_by.get(view.row.key, 0))
        return reading if reading.content.get(submission_id) is not None else await index.fresh(reader)

    def write(self, view: View) -> Request:
        """Never called: `look` never says that it is absent."""
        raise NotImplementedError

    def classify(self, reply: Reply, view: View) -> Verdict:
        """Never called."""
        raise NotImplementedError
