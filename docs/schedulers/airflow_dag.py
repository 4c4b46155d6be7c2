"""A night as an Airflow DAG (3.x; in 2.x `dag` and `task` are in `airflow.decorators`): put it into the folder of DAGs.

Secrets come from the environment of the worker (MUSTER_IDENTITY, MUSTER_PASSWORD_FILE), settings from the muster.toml
that MUSTER_CONFIG names. A task that is tried again sends nothing twice: the ledger knows what was sent.
"""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task

from jobs import MusterError, Watch, resume, run

GOOD = (0, 1, 5)
"""Ends of a night that went through: all well, rows that need a person, decisions that are outstanding."""


@dag(schedule="15 2 * * *", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, max_active_runs=1)
def muster_night(path: str = "/srv/muster/in/customers.csv") -> None:
    """One night."""

    @task(retries=3, retry_delay=timedelta(minutes=15))
    def onboard(path: str) -> dict[str, int]:
        """The file, with its outcomes by name."""
        try:
            summary = run(Path(path), progress=Watch(said=logging.getLogger(__name__).info))
            if summary.pending:
                summary = resume(summary.run_id, decision_wait=600)
        except MusterError as error:
            if error.retryable:  # the target could not be reached, or another run holds the lock
                raise
            raise AirflowFailException(f"{error.message}; {error.hint or ''}") from error
        if int(summary.exit_code) not in GOOD:
            why = summary.stop or summary.exit_meaning
            raise AirflowFailException(f"muster ended with {int(summary.exit_code)}: {why}")
        return summary.outcome_counts()

    onboard(path)


muster_night()
