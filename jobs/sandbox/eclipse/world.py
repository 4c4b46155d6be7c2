"""One Eclipse between two resets: its records, tokens and windows."""

import random

from jobs.sandbox.bench import Bench
from jobs.sandbox.clock import Clock
from jobs.sandbox.eclipse.quotas import Flights, Quotas
from jobs.sandbox.eclipse.refusal import Refusals
from jobs.sandbox.eclipse.store import Login, Store
from jobs.sandbox.eclipse.tokens import Tokens
from jobs.sandbox.settings import Settings


class World:
    """What the operations work on. `settings` are the ones in force at the moment of the call."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        seed = bench.settings.seed
        # Two sequences, so that the ids of records do not depend on how often something was refused.
        self.store = Store(random.Random(f"{seed}|records"))  # noqa: S311 - repeatable on purpose
        self.refusals = Refusals(random.Random(f"{seed}|traces"))  # noqa: S311
        self.tokens = Tokens()
        self.quotas = Quotas()
        self.flights = Flights()
        self.challenges: dict[str, str] = {}
        """The newest login challenge of each identity that has asked for one."""

    @property
    def settings(self) -> Settings:
        return self._bench.settings

    @property
    def clock(self) -> Clock:
        return self._bench.clock

    def login(self, identity: str) -> Login | None:
        """Who may log in as `identity`: a credential of the settings, an admin user or a customer."""
        for known in self.settings.credentials:
            if known.identity == identity:
                return Login(known.identity, known.password, known.tenant, known.positions, public_key=known.public_key)
        return self.store.logins.get(identity)
