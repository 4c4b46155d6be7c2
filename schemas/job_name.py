"""The name of a job: what is done at which system. It names the adapter, the input, the keys and the ledger's records.

As text it is `system[:job][/variant]`: `eclipse`, `eclipse:portal-users`, `banklingo:decide/reject`. This is the one
place that reads and writes that text.
"""

from dataclasses import dataclass

ONBOARDING = "onboarding"
JOBS = (ONBOARDING, "registration", "decide", "portal-users")
"""What is done with the rows of a file: customers are onboarded, or one of a system's other jobs."""
COMMANDS = {ONBOARDING: "run", "registration": "register", "portal-users": "admin-users create", "decide": "decide"}
"""The command of each job that takes its files and begins a run."""
APART = frozenset({"decide", "portal-users"})
"""Jobs whose rows are no customers: keys and records of their own."""
EXTRACT = "extract"
"""Beside the jobs: names the columns of what a system gives back (`eclipse:extract`)."""


@dataclass(frozen=True, slots=True)
class JobName:
    """One job at one system. `variant` is what a job that comes in variants does; None: it comes in none."""

    system: str
    job: str = ONBOARDING
    variant: str | None = None

    @classmethod
    def parse(cls, text: str) -> "JobName":
        """The name that `text` is; a system by itself is its onboarding. Whether there is such a job is not asked."""
        name, _, variant = text.partition("/")
        system, _, job = name.partition(":")
        return cls(system, job or ONBOARDING, variant or None)

    def __str__(self) -> str:
        return f"{self.adapter}/{self.variant}" if self.variant else self.adapter

    @property
    def adapter(self) -> str:
        """Names what does it: the variants of a job have one adapter."""
        return self.system if self.job == ONBOARDING else f"{self.system}:{self.job}"

    @property
    def apart(self) -> bool:
        """Whether its rows are no customers."""
        return self.job in APART

    @property
    def ledger_system(self) -> str:
        """Names the ledger's records: those of customers are the same whatever is done with them."""
        return self.adapter if self.apart else self.system

    @property
    def key_system(self) -> str:
        """Names the keys: to decide twice, differently, about one customer are two intentions."""
        return str(self) if self.apart else self.system

    @property
    def siblings(self) -> str:
        """What the ledger's names of the system's jobs apart begin with."""
        return f"{self.system}:"
