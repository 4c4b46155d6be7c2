"""A night as a Dagster job: `dagster job execute -f deploy/dagster/muster_night.py -j night -c run.yaml`.

Secrets come from the environment (MUSTER_IDENTITY, MUSTER_PASSWORD_FILE), settings from muster.toml. An op that is
tried again sends nothing twice: the ledger knows what was sent.
"""

from pathlib import Path

from dagster import Definitions, Failure, OpExecutionContext, RetryRequested, ScheduleDefinition, job, op

from jobs import MusterError, Watch, resume, run

GOOD = (0, 1, 5)
"""Ends of a night that went through: all well, rows that need a person, decisions that are outstanding."""

A_QUARTER = 900


@op(config_schema={"path": str})
def onboard(context: OpExecutionContext) -> dict[str, int]:
    """The file that the run's configuration names, with its outcomes by name."""
    try:
        summary = run(Path(context.op_config["path"]), progress=Watch(said=context.log.info))
        if summary.pending:
            summary = resume(summary.run_id, decision_wait=600)
    except MusterError as error:
        if error.retryable:  # the target could not be reached, or another run holds the lock
            raise RetryRequested(max_retries=3, seconds_to_wait=A_QUARTER) from error
        raise Failure(f"{error.message}; {error.hint or ''}", allow_retries=False) from error
    if int(summary.exit_code) not in GOOD:
        why = summary.stop or summary.exit_meaning
        raise Failure(f"muster ended with {int(summary.exit_code)}: {why}", allow_retries=False)
    context.add_output_metadata(dict(summary.outcome_counts()))
    return summary.outcome_counts()


@job
def night() -> None:
    """One night."""
    onboard()


definitions = Definitions(
    jobs=[night],
    schedules=[
        ScheduleDefinition(
            job=night,
            cron_schedule="15 2 * * *",
            run_config={"ops": {"onboard": {"config": {"path": "/srv/muster/in/customers.csv"}}}},
        )
    ],
)
