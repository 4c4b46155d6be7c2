"""Documents that ONBOARDING uploads before the login exists: "Attachment.CREATE.Allowed", and no right to list them."""

from dataclasses import dataclass

from jobs.model import Outcome
from jobs.systems.eclipse.address import unlisted
from jobs.systems.eclipse.document import DocumentStep
from jobs.systems.eclipse.existence import has_login
from jobs.systems.messages import Reader, Reply, Request
from jobs.systems.row import View
from jobs.systems.verdict import Absent, Ended, Finding, Verdict

TOO_LATE = "the customer has a login, after which ONBOARDING may attach nothing; an operator goes on with muster run"


@dataclass(frozen=True, slots=True)
class UploadStep:
    """Uploads one document of a customer without a login. What went unanswered is a person's, or an operator's run's.

    The operator's credential may read the list, and settles it there.
    """

    inner: DocumentStep
    resends: int | None = 0
    settle_seconds: float | None = 0.0

    @property
    def name(self) -> str:
        """That of the document: an operator's run, or the customer, does not upload it again."""
        return self.inner.name

    async def look(self, reader: Reader, view: View) -> Finding:
        """Absent as long as there is no login and no unanswered upload: nobody else attaches anything to our record."""
        if view.fresh_customer and view.doubt is None and not view.taken:
            return Absent()
        finding = unlisted("documents_unreadable", view)
        if isinstance(finding, Absent) and await has_login(reader, self.inner.tenant_path, view.facts["customer_id"]):
            return Ended(Outcome.FAILED, "login_exists", TOO_LATE)
        return finding

    def write(self, view: View) -> Request:
        """As the document. Raises Unsendable."""
        return self.inner.write(view)

    def classify(self, reply: Reply, view: View) -> Verdict:
        """As the document."""
        return self.inner.classify(reply, view)
