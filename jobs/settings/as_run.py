"""The settings of a run that is under way, for a worker on whatever machine: what the run was begun with, all of it."""

import os
from collections.abc import Mapping

from jobs.errors import Unusable
from jobs.settings.option import PREFIX
from jobs.settings.precedence import settings
from jobs.settings.settings import BY_NAME, OPTIONS, Settings
from jobs.transport.proxy import checked_proxy

OF_THE_LEADER = frozenset({"ledger", "profile", "protected", "confirm_tenant", "plan", "run_id", "output"})
"""Settings that a worker has of its own, or that were for the leader to check."""

SECRET = PREFIX + "PROXY"
"""The variable of the one setting that may hold a password: a worker has it from its own environment."""

INDEXES = ("JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX")
"""Where Kubernetes, Slurm and AWS Batch say which of many equal processes this one is."""


def as_run(recorded: Mapping[str, object], ledger: str, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings that a run was begun with; no file of settings counts, and of the environment only secrets do."""
    environ = os.environ if environ is None else environ
    flags = {each.name: recorded.get(each.name) for each in OPTIONS if each.name not in OF_THE_LEADER}
    own = {SECRET: environ[SECRET]} if environ.get(SECRET) else {}
    if own and str(checked_proxy(own[SECRET])) == flags["proxy"]:
        del flags["proxy"]  # that very one, with its password
    given = {name: str(text) for name, text in flags.items() if text}
    tables = {name: text for name, text in recorded.items() if "." in name}
    return settings({**given, "ledger": ledger}, environ=own, recorded=tables, document={})


def egress_here(led: str | None, environ: Mapping[str, str] | None = None) -> str:
    """The name of the address that calls of this process leave from: of its environment, else that of the run.

    `led`: the run's own, where this is the machine that it was begun on. Raises Unusable when neither is known.
    """
    option = BY_NAME["egress"]
    given = (os.environ if environ is None else environ).get(option.variable) or led
    if given is None:
        raise Unusable(
            "the limit of that run counts for each address that calls leave from, and this machine's is not named",
            hint=f"set {option.variable}; two machines behind one address have one name",
        )
    return str(option.parse(given))


def index(environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """The variable in which a scheduler says which process this is, and its value; None where there is none.

    Raises ValueError when two of them say two things.
    """
    environ = os.environ if environ is None else environ
    found = {name: environ[name] for name in INDEXES if environ.get(name)}
    if len(set(found.values())) > 1:
        raise ValueError(" and ".join(f"{name}={value}" for name, value in found.items()))
    return next(iter(found.items()), None)
