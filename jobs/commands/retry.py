"""`muster retry`: tries rows again that ended `failed`, on purpose."""

from pathlib import Path
from typing import Any

import click

from jobs.commands.erasing import keep_retention
from jobs.commands.options import RUNNING, SHARING, chosen_run, effective, options, progress_of, show, the_clock
from jobs.commands.run_name import RUN


@click.command("retry")
@click.argument("run_id_before", type=RUN, metavar="RUN", required=True)
@options(*RUNNING, *SHARING)
def command(run_id_before: str | None, **given: Any) -> None:
    """Try the rows of RUN again that ended failed, beside what resume does.

    \b
    Example:
      muster retry 20261121T021500Z-7f3a
    """
    from jobs.engine.opening import Taking
    from jobs.flow import onboard
    from jobs.model import RESUMABLE, Outcome

    before = chosen_run(effective(given).ledger, run_id_before)
    settings = effective(given, before)
    summary = onboard(
        "retry",
        Path(before.input_path),
        settings,
        the_clock(),
        taking=Taking(RESUMABLE | {Outcome.FAILED}),
        sha256=before.input_sha256,
        progress=progress_of(settings, given),
    )
    keep_retention(settings, given)
    show(summary, settings, given)
