"""What an operator may set for Azakaw, and the forms that follow from it."""

from dataclasses import dataclass

from jobs.systems.azakaw.forms import INDIVIDUAL, LEGAL, Forms


@dataclass(frozen=True, slots=True)
class AzakawSettings:
    """`[azakaw]` in muster.toml."""

    form_id_individual: str | None = None
    """The onboarding form of individuals; None: that of legal entities."""
    form_id_legal: str | None = None
    """The onboarding form of legal entities; None: that of individuals."""
    employee_id: str | None = None
    """Who adds the customers: an id that GetEmployees shows."""
    auth_base_url: str | None = None
    """Where tokens are given; None: the base URL."""
    send_email: bool = False
    """Whether the target welcomes each customer by e-mail."""
    set_password: bool = False
    """Whether each customer is sent a password."""
    await_decision: bool = False
    """Whether a row is complete only once compliance has approved it."""
    check_profiles: bool = False
    """Whether a reconciliation also reads each profile."""
    uses_list: bool = True
    """Whether the list of submissions is read. Without it nobody is looked for and nothing lost is settled."""
    settle_seconds: float = 60.0
    """How long after an unanswered create the list is not believed when it does not show it (chosen)."""


def forms_of(settings: AzakawSettings) -> Forms:
    """The forms, each with an index of its own; the vendor's samples use one for both kinds."""
    given = {INDIVIDUAL: settings.form_id_individual, LEGAL: settings.form_id_legal}
    return Forms.of({kind: form or given[INDIVIDUAL] or given[LEGAL] or "" for kind, form in given.items()})
