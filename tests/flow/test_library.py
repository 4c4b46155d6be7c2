"""muster as another program uses it: functions that give what they found, print nothing and end no process."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import jobs
from jobs import MusterError, Watch, open_items, plan, reconcile, resume, run, validate
from jobs.sandbox.server import Sandbox

from .muster import REPOSITORY, Muster
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]


def test_the_whole_job_without_a_command_line(
    muster: Muster, file_of: Filed, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_of([person(1), person(2, phone="1"), person(3, "Kycstuck")])

    checked = validate(file)
    planned = plan(file)
    ended = run(str(file), decision_wait=0.2, run_id="lib-1")
    again = resume(run_id=None, decision_wait="0.2")
    compared = reconcile(ended.run_id)
    left = open_items()

    assert (checked.rows, checked.accepted, checked.reasons) == (3, 2, {"phone_invalid:phone": 1})
    assert dict(planned.verdicts) == {"create": 2, "quarantined": 1}
    assert (ended.run_id, int(ended.exit_code), ended.pending) == ("lib-1", 1, 1)
    assert again.outcomes["already_onboarded"] == 1
    assert compared.agreed
    assert {(group.outcome, group.rows) for group in left.groups} == {("quarantined", 1), ("pending", 1)}
    assert capsys.readouterr() == ("", "")


def test_what_ends_a_command_is_raised(muster: Muster, file_of: Filed) -> None:
    file = file_of(people(2))

    with pytest.raises(MusterError, match="fewer than --min-rows 3") as gate:
        run(file, min_rows=3)
    with pytest.raises(MusterError, match="did you mean 'tenant'"):
        run(file, tennant="1")

    assert int(gate.value.exit_code) == 2


def test_a_program_stops_a_run_from_a_thread_and_goes_on(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    file, wanted = file_of(people(30)), threading.Event()
    ended: list[jobs.Summary] = []

    def work() -> None:
        ended.append(run(file, concurrency=1, rate="10/1", progress=Watch(stop=wanted.is_set)))

    thread = threading.Thread(target=work)
    thread.start()
    while not sandbox.journal():
        thread.join(0.01)
    wanted.set()
    thread.join(60)

    assert int(ended[0].exit_code) == 143
    assert ended[0].outcomes["not_attempted"] > 0
    assert resume(rate="1000/1").outcomes.get("not_attempted", 0) == 0


@pytest.mark.slow
def test_the_script_of_the_page_runs_as_it_stands(muster: Muster, file_of: Filed) -> None:
    file_of([person(1), person(2)])
    script = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / "library.md").read_text(), re.DOTALL)[0]

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=muster.folder, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.stderr == ""
    assert "'onboarded': 2" in done.stdout
    assert done.returncode == 0
