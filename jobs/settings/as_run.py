"""The settings of a run that is under way, for a worker on whatever machine: what the run was begun with, all of it."""

import os
from collections.abc import Mapping

from jobs.settings.option import PREFIX
from jobs.settings.settings import OPTIONS, Settings, settings

OF_THE_LEADER = frozenset({"ledger", "profile", "protected", "confirm_tenant", "plan", "run_id", "output"})
"""Settings that a worker has of its own, or that were for the leader to check."""

HIDDEN = "***"
"""What stands for a password in what was recorded."""

SECRET = PREFIX + "PROXY"
"""The variable of the one setting that may hold a password: a worker has it from its own environment."""

INDEXES = ("JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX")
"""Where Kubernetes, Slurm and AWS Batch say which of many equal processes this one is."""


def as_run(recorded: Mapping[str, object], ledger: str, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings that a run was begun with; no file of settings counts, and of the environment only secrets do."""
    environ = os.environ if environ is None else environ
    flags = {each.name: recorded.get(each.name) for each in OPTIONS if each.name not in OF_THE_LEADER}
    given = {name: str(text) for name, text in flags.items() if text and HIDDEN not in str(text)}
    own = {name: value for name, value in environ.items() if name == SECRET}
    tables = {name: text for name, text in recorded.items() if "." in name}
    return settings({**given, "ledger": ledger}, environ=own, recorded=tables, document={})


def index(environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """The variable in which a scheduler says which process this is, and its value; None where there is none.

    Raises ValueError when two of them say two things.
    """
    environ = os.environ if environ is None else environ
    found = {name: environ[name] for name in INDEXES if environ.get(name)}
    if len(set(found.values())) > 1:
        raise ValueError(" and ".join(f"{name}={value}" for name, value in found.items()))
    return next(iter(found.items()), None)
