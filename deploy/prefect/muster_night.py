"""A night as a Prefect flow: `python deploy/prefect/muster_night.py customers.csv`, or `.serve(cron="15 2 * * *")`.

Secrets come from the environment of the worker (MUSTER_IDENTITY, MUSTER_PASSWORD_FILE), settings from its muster.toml.
A task that is tried again sends nothing twice: the ledger knows what was sent.
"""

import sys
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task

from jobs import MusterError, Watch, resume, run

GOOD = (0, 1, 5)
"""Ends of a night that went through: all well, rows that need a person, decisions that are outstanding."""


def may_come_right(_task: Any, _run: Any, state: Any) -> bool:
    """Whether trying again helps: the target could not be reached, or another run holds the lock."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, MusterError) or error.retryable


@task(retries=3, retry_delay_seconds=900, retry_condition_fn=may_come_right)
def onboard(path: str) -> dict[str, int]:
    """The file, with its outcomes by name."""
    summary = run(Path(path), progress=Watch(said=get_run_logger().info))
    if summary.pending:
        summary = resume(summary.run_id, decision_wait=600)
    if int(summary.exit_code) not in GOOD:
        raise RuntimeError(f"muster ended with {int(summary.exit_code)}: {summary.stop or summary.exit_meaning}")
    return summary.outcome_counts()


@flow(log_prints=True)
def night(path: str) -> dict[str, int]:
    """One night."""
    return onboard(path)


if __name__ == "__main__":
    night(sys.argv[1])
