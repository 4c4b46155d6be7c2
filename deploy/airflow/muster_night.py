"""A night as an Airflow DAG (3.x, with the standard provider and a triggerer): put this file into the folder of DAGs.

muster is called as a program, from an environment of its own (MUSTER): Airflow pins what muster needs. Secrets come
from the environment of the worker (MUSTER_IDENTITY_FILE, MUSTER_PASSWORD_FILE), settings from the muster.toml that
MUSTER_CONFIG names; every worker needs the same ledger and the same files.

The runs of a night are named after it: `airflow-20261121T001500-1`, `-2`, … A task that is tried again asks the ledger
for the newest of them first: one that is at work elsewhere is waited for, one that was cut short is gone on with, one
that ended is not begun again. Waiting is deferred, and holds no worker.
"""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

MUSTER = os.environ.get("MUSTER", "/opt/muster/bin/muster")
INPUT = "/srv/muster/in/customers-{{ ds }}.csv"

DONE = frozenset({0, 1})
"""All well; rows that need a person, whom `notify` of muster.toml tells."""
LATER = frozenset({5})
"""Only decisions are outstanding: read again in half an hour."""
AGAIN = frozenset({6, 75, 130, 143})
"""Another run holds the lock, the target can't be reached, a signal: the same task may succeed a little later."""
NEVER = frozenset({2, 3, 4, 7, 8, 70})
"""Trying again can't help, or must not before a person has looked: then the task is cleared, and goes on."""

WAIT = timedelta(minutes=30)


class MusterNight(BaseOperator):
    """Onboards one file. `night` names its runs: the same for each try of a task, another for each night."""

    template_fields = ("path", "night")

    def __init__(self, *, path: str, night: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.path, self.night = path, night
        self._running: subprocess.Popen[str] | None = None

    def execute(self, context: Any) -> int:
        """Begins the night, or goes on with it; the exit code."""
        ours = [run for run in self._runs() if run["run_id"].startswith(f"{self.night}-")]
        newest = ours[0] if ours else {"state": "none", "exit_code": None}
        if newest["state"] in {"running", "unclear"}:
            self._wait(f"{newest['run_id']} is at work")
        if newest["exit_code"] in DONE:
            return int(newest["exit_code"])
        name = f"{self.night}-{len(ours) + 1}"
        if ours:
            return self._ended(self._muster(["resume", newest["run_id"], "--run-id", name]), name)
        return self._ended(self._muster(["run", self.path, "--run-id", name]), name)

    def go_on(self, context: Any, event: Any = None) -> int:
        """The wait is over."""
        return self.execute(context)

    def on_kill(self) -> None:
        """Airflow ends the task: what is under way ends, the state is saved, and the next try goes on with it."""
        if self._running is not None:
            self._running.terminate()

    def _ended(self, code: int, name: str) -> int:
        """What Airflow makes of an exit code."""
        if code in DONE:
            return code
        if code in LATER:
            self._wait(f"decisions of {name} are outstanding")
        words = f"muster ended with {code}: muster status {name}"
        raise (AirflowFailException if code in NEVER else AirflowException)(words)

    def _wait(self, why: str) -> NoReturn:
        self.log.info("%s; looking again in %s", why, WAIT)
        self.defer(trigger=TimeDeltaTrigger(WAIT), method_name="go_on")

    def _runs(self) -> list[dict[str, Any]]:
        """The newest runs of the ledger, the newest first."""
        command = [MUSTER, "runs", "--last", "1000", "--output", "json"]
        return list(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["runs"])

    def _muster(self, words: list[str]) -> int:
        """The exit code of a command whose lines stand in the log of the task."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen([MUSTER, *words], **pipes) as self._running:
            for line in self._running.stdout or ():
                self.log.info(line.rstrip())
        return self._running.returncode


with DAG(
    "muster_night",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 5, "retry_delay": timedelta(minutes=15)},
):
    MusterNight(task_id="onboard", path=INPUT, night="airflow-{{ ts_nodash }}")
