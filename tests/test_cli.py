"""The command line as scripts meet it: help, exit codes, one JSON document, closed pipes, and never a traceback."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click
import orjson
import polars as pl
import pytest
from books import RUN, begun, ended, now_ms, url_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.__main__ import status
from jobs.cli import COMMANDS as PURPOSES
from jobs.cli import cli
from jobs.ledger import lease
from jobs.ledger.store import Store
from jobs.model import Outcome
from jobs.settings.settings import OPTIONS
from tests.examples import some
from tests.forked import Forked

REPOSITORY = Path(__file__).parents[1]
SAMPLES = REPOSITORY / "sample_data"
COMMANDS = sorted(cli.commands)
GOOD = "first_name,last_name,phone,email,national_id\nThandi,Nkosi,0821234567,thandi@example.com,9001015009086\n"

UNREASONED = "contact_encoded_key\n0f3c2b1a9d8e47f6a5b4c3d2e1f00918\n"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MUSTER_")]:
        monkeypatch.delenv(name)


def muster(*arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "jobs", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **(environ or {})},
    )


def with_a_run(folder: Path) -> str:
    """A ledger in `folder` with one run that has not ended; its id."""
    with Store.opened(url_of(folder)) as store:
        book = begun(store)
        book.apply(ended(1), ended(2, Outcome.PENDING))
        return book.run_id


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status([command, "--help"]) == 0

    said = capsys.readouterr().out
    assert f"muster {command}" in said.split("Example", 1)[1]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "sandbox"])
def test_every_command_knows_config_verbose_and_quiet(command: str) -> None:
    found = cli.commands[command]
    leaves = list(found.commands.values()) if isinstance(found, click.Group) else [found]

    for leaf in leaves:
        assert {"--config", "-v", "-q"} <= {name for parameter in leaf.params for name in parameter.opts}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(command: str) -> None:
    assert PURPOSES[command] == cli.commands[command].get_short_help_str(200)


HEAVY = ("polars", "pandera", "phonenumbers", "rapidfuzz", "rich", "starlette", "uvicorn", "jinja2", "httpx", "uvloop")
CLOUDS = ("boto3", "botocore", "obstore")


def test_a_command_loads_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'muster.db'}").close()
    program = f"""
import sys
from jobs.__main__ import status
heavy = {(*HEAVY, *CLOUDS)!r}
def loaded(*more): return sorted({{*heavy, *more}} & sys.modules.keys())
said = []
status(["--help"]); said.append(loaded("sqlalchemy", "jobs.settings", "asyncio"))
status(["run", "--help"]); said.append(loaded("sqlalchemy", "asyncio"))
status(["runs"]); status(["status"]); said.append(loaded())
status(["run", "absent.csv"]); said.append(sorted({{*{CLOUDS!r}}} & sys.modules.keys()))
print(said, "sqlalchemy" in sys.modules, file=sys.stderr)
"""
    environment = {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path).stderr

    assert said.splitlines()[-1] == "[[], [], [], []] True"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        ([], 2),
        (["nonsense"], 2),
        (["run"], 2),
        (["run", "absent.csv"], 2),
        (["run", "in.csv", "--nonsense"], 2),
        (["run", "in.csv", "--tenant", "1", "--base-url", "http://127.0.0.1:9"], 2),
        (["run", "in.csv", "--concurrency", "many"], 2),
        (["run", "in.csv", "--password", "x"], 2),
        (["validate", "in.csv"], 0),
        (["validate", "bad.csv"], 1),
        (["validate", "bad.csv", "--exit-zero"], 0),
        (["validate", "absent.csv"], 2),
        (["validate", "."], 2),
        (["validate", str(SAMPLES / "portal-users_10.csv"), "--job", "portal-users"], 0),
        (["validate", str(SAMPLES / "registration_10.csv"), "--job", "registration"], 0),
        (["validate", str(SAMPLES / "portal-users_10.csv")], 2),
        (["validate", "in.csv", "--job", "decide"], 2),
        (["validate", "in.csv", "--command", "reject"], 2),
        (["validate", "decided.csv", "--system", "banklingo", "--job", "decide"], 2),
        (["validate", "decided.csv", "--system", "banklingo", "--job", "decide", "--command", "approve"], 0),
        (["validate", "decided.csv", "--system", "banklingo", "--job", "decide", "--command", "reject"], 1),
        (["validate", "in.csv", "--job", "nonsense"], 2),
        (["runs"], 0),
        (["status"], 2),
        (["status", "unknown"], 2),
        (["resume"], 2),
        (["report", "unknown"], 2),
        (["reconcile", "unknown"], 2),
        (["retry"], 2),
        (["verify", "unknown"], 2),
        (["verify", "."], 7),
        (["lookup"], 2),
        (["lookup", "--customer-id", "1", "--phone", "2"], 2),
        (["schema", "nonsense"], 2),
        (["config", "--config", "absent.toml"], 2),
        (["runs", "--ledger", "postgresql://u:hunter2@h/db"], 2),
        (["runs", "--ledger", "nonsense"], 2),
        (["runs", "--last", "0"], 2),
        (["systems", "--output", "xml"], 2),
        (["config", "--base-url", "https://u:hunter2@host"], 2),
        (["sandbox", "--system", "nonsense"], 2),
        (["sandbox", "--port", "99999"], 2),
    ],
)
def test_each_use_and_misuse_has_its_exit_code(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in.csv").write_text(GOOD)
    Path("bad.csv").write_text(GOOD.replace("0821234567", "12"))
    Path("decided.csv").write_text(UNREASONED)

    assert status(arguments) == code

    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert "muster: internal error" not in said.err
    assert "hunter2" not in said.err + said.out
    assert code == 0 or said.err or said.out


def test_a_ledger_that_is_no_database_is_a_matter_of_settings(capsys: pytest.CaptureFixture[str]) -> None:
    Path("muster.db").write_text("first_name,last_name\n" * 100)

    for arguments in (["runs"], ["status"], ["resume"]):
        assert status(arguments) == 2
    assert "not a database" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["runs"],
        ["status"],
        ["config"],
        ["systems"],
        ["schema"],
        ["schema", "eclipse", "--format", "csv"],
        ["validate", "in.csv"],
        ["verify", "."],
    ],
)
def test_json_is_exactly_one_document_with_a_version(
    arguments: list[str], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    Path("in.csv").write_text(GOOD)
    with_a_run(tmp_path)

    status([*arguments, "--output", "json"])

    assert orjson.loads(capsysbinary.readouterr().out)["schema_version"] == 1


def test_the_form_of_the_output_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("MUSTER_OUTPUT", "json")

    for command in ("runs", "config", "systems", "schema"):
        assert status([command]) == 0
        assert orjson.loads(capsysbinary.readouterr().out)["schema_version"] == 1


def test_the_state_of_a_run_that_died_names_the_way_on(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run_id = with_a_run(tmp_path)
    with Store.opened(url_of(tmp_path)) as store:
        lease.release(store, 1, 1)

    assert status(["status", run_id, "--output", "json"]) == 0

    said = orjson.loads(capsysbinary.readouterr().out)
    assert (said["state"], said["exit_code"], said["rows_left"]) == ("interrupted", None, 1)
    assert said["outcomes"] == {"onboarded": 1, "pending": 1}
    assert said["next_command"] == f"muster resume {run_id}"


@pytest.mark.parametrize(("age_ms", "state"), [(1_000, "running"), (600_000, "unclear")])
def test_the_state_of_a_run_elsewhere_says_what_can_be_known_of_it(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], age_ms: int, state: str
) -> None:
    run_id = with_a_run(tmp_path)
    with sqlite3.connect(tmp_path / "muster.db") as ledger:
        change = "UPDATE space SET owner_boot = NULL, owner_host = 'pod-1', heartbeat_ms = ?"
        ledger.execute(change, (now_ms() - age_ms,))
    ledger.close()

    assert status(["status", run_id, "--output", "json"]) == 0
    said = orjson.loads(capsysbinary.readouterr().out)
    assert status(["status", run_id]) == 0
    shown = capsysbinary.readouterr().out.decode()

    assert said["state"] == state
    assert " on pod-1 since " in said["owner"]
    assert "only its heartbeat can tell" in said["owner"]
    beat = re.compile(r"\d+ s ago")  # a moment lies between the two
    assert beat.sub("", said["owner"]) in beat.sub("", shown)
    assert (f"muster resume {run_id}" in shown) is (state == "unclear")


def test_the_list_of_runs_shows_the_newest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = with_a_run(tmp_path)

    assert status(["runs", "--last", "1"]) == 0

    said = capsys.readouterr().out
    assert said.startswith(run_id)
    assert " running " in said


def test_settings_are_shown_with_their_origin_and_secrets_only_as_set(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("MUSTER_PASSWORD", "hunter2")
    monkeypatch.setenv("MUSTER_RATE", "60/180")
    Path("muster.toml").write_text("tenant = 1001\n[columns]\nVorname = 'first_name'\n")

    assert status(["config", "--concurrency", "4", "--output", "json"]) == 0

    out = capsysbinary.readouterr().out
    said = orjson.loads(out)
    shown = {name: (said["settings"][name]["value"], said["settings"][name]["origin"]) for name in said["settings"]}
    assert shown["rate"] == ("60/180", "MUSTER_RATE")
    assert shown["concurrency"] == ("4", "--concurrency")
    assert said["settings"]["tenant"]["origin"] == said["settings"]["columns.Vorname"]["origin"] == "muster.toml"
    assert said["secrets"]["password"] == "set"
    assert said["secrets"]["token"] == "not set"
    assert b"hunter2" not in out


def test_a_misspelt_variable_is_warned_of_and_data_stay_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUSTER_TENNANT", "1")

    assert status(["runs"]) == 0

    said = capsys.readouterr()
    assert "MUSTER_TENNANT; did you mean 'MUSTER_TENANT'?" in said.err
    assert said.out == ""


@pytest.mark.parametrize("command", ["config", "schema", "systems"])
def test_a_closed_pipe_is_no_reason_for_a_traceback(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        finished = Forked([command], os.environ, stdout=closed, stderr=subprocess.PIPE)
        said = finished.communicate()[1]

    assert said == ""
    assert finished.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", ["config", "schema"])
def test_a_full_disk_behind_stdout_is_named(command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        finished = Forked([command], os.environ, stdout=full, stderr=subprocess.PIPE)
        said = finished.communicate()[1]

    assert finished.returncode == 2
    assert "No space left on device" in said
    assert "where stdout goes" in said
    assert "Exception ignored" not in said
    assert "Traceback" not in said


@pytest.mark.few(1)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_validation_that_is_interrupted_leaves_no_personal_data_behind(number: signal.Signals, code: int) -> None:
    header, row = GOOD.splitlines(keepends=True)
    Path("in.csv").write_text(header + row * 400_000)
    with Forked(["validate", "in.csv"], os.environ, stderr=subprocess.PIPE) as child:
        while not list(Path().glob("runs/.work-*/*.parquet*")) and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(number)
        said = child.communicate(timeout=30)[1]

    assert child.returncode == code
    assert "Traceback" not in said
    assert not Path("runs").exists()


def test_a_defect_names_the_place_and_never_a_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise KeyError("9001015009086")

    monkeypatch.setitem(cli.commands, "broken", click.Command("broken", callback=fail))

    assert status(["broken"]) == 70

    said = capsys.readouterr().err
    assert "KeyError" in said
    assert "test_cli.py:" in said
    assert "9001015009086" not in said


def test_a_panic_of_native_code_is_an_internal_error_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date).dt.strftime("%Y")

    with pytest.raises(BaseException, match="out-of-range") as raised:
        fail()
    assert not isinstance(raised.value, Exception)
    monkeypatch.setitem(cli.commands, "broken", click.Command("broken", callback=fail))

    assert status(["broken"]) == 70
    said = capsys.readouterr().err
    assert "internal error (PanicException)" in said
    assert "Traceback" not in said


def test_the_program_runs_as_a_module_and_says_its_version() -> None:
    assert muster("--version").stdout.startswith("muster, version ")
    assert muster("nonsense").returncode == 2


@settings(max_examples=some(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([option.flag for option in OPTIONS if option.metavar]),
    st.text(max_size=12).filter(lambda text: "\x00" not in text),
)
def test_no_value_of_any_option_is_an_internal_error(flag: str, value: str) -> None:
    assert status(["config", f"{flag}={value}"]) in {0, 2}


@settings(max_examples=some(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_no_ledger_run_id_or_command_is_an_internal_error(text: str) -> None:
    for arguments in (["runs", f"--ledger={text}"], ["status", "--", text], ["verify", "--", text], [text]):
        assert status(arguments) in {0, 2, 7}


def test_a_library_that_can_not_be_loaded_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("libssl.so.3: cannot open shared object file: Too many open files")

    monkeypatch.setattr("jobs.cli.cli.main", missing)

    assert status(["runs"]) == 2
    assert capsys.readouterr().err.startswith("muster: a library can't be loaded: libssl.so.3")


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (["list"], "muster runs"),
        (["run", "in.csv", "--dry-run"], "muster plan INPUT"),
        (["run", "in.csv", "--dryrun"], "muster plan INPUT"),
        (["runss"], "muster runs"),
        (["run", "in.csv", "--tennant", "1"], "--tenant"),
        (["run", "in.csv", "--password", "x"], "MUSTER_PASSWORD, or MUSTER_PASSWORD_FILE"),
    ],
)
def test_a_common_slip_gets_the_right_command(
    arguments: list[str], right: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in.csv").write_text(GOOD)

    assert status([*arguments, "--output", "json"]) == 2

    said = capsys.readouterr()
    assert f"try: {right}" in said.err
    assert orjson.loads(said.out)["error"]["hint"].startswith(right)


def test_help_and_version_answer_by_the_names_of_other_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["help"]) == status(["help", "run"]) == status(["-V"]) == 0

    said = capsys.readouterr().out
    assert "Usage: muster [OPTIONS] COMMAND" in said
    assert "Usage: muster run [OPTIONS] INPUT" in said
    assert "muster, version " in said


def test_the_wrong_folder_is_named_with_the_place_where_runs_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_a_run(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    for command, code in (("runs", 0), ("status", 2)):
        assert status([command]) == code
        said = capsys.readouterr().err
        assert f"there is no ledger {tmp_path / 'elsewhere' / 'muster.db'}" in said
        assert f"--ledger sqlite:///{tmp_path / 'muster.db'}" in said


def test_a_run_at_work_is_not_verified_but_said_to_be_at_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = with_a_run(tmp_path)

    assert status(["verify", run_id]) == 2
    assert f"run {run_id} is still at work" in capsys.readouterr().err


def test_an_interrupted_run_is_listed_as_that_with_who_went_on(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run_id = with_a_run(tmp_path)
    with Store.opened(url_of(tmp_path)) as store:
        lease.release(store, 1, 1)
        begun(store, replace(RUN, run_id="later", ended_ms=1, exit_code=0))
        store.end_run("later", ended_ms=RUN.started_ms + 9, exit_code=0, summary={})

    assert status(["runs", "--output", "json"]) == 0

    said = orjson.loads(capsysbinary.readouterr().out)["runs"]
    assert [(run["run_id"], run["state"], run["continued_by"]) for run in said] == [
        ("later", "ended", None),
        (run_id, "interrupted", "later"),
    ]


UNWRITABLE = "b\udce9d"
"""A name of the bytes 62 E9 64, as Python gives it."""


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", UNWRITABLE + ".csv"),
        ("validate", "in.csv", "--quarantine", UNWRITABLE),
        ("run", "in.csv", "--out", UNWRITABLE),
        ("run", "in.csv", "--files", UNWRITABLE),
        ("run", "in.csv", "--ledger", f"sqlite:///{UNWRITABLE}/muster.db"),
        ("register", UNWRITABLE),
        ("admin-users", "create", UNWRITABLE),
        ("resume", UNWRITABLE),
        ("reconcile", "run-1", "--against", UNWRITABLE),
        ("verify", UNWRITABLE),
        ("init", UNWRITABLE),
        ("download-profiles", "run-1", "--to", UNWRITABLE),
        ("doctor", "--config", UNWRITABLE),
    ],
    ids=lambda arguments: ascii(" ".join(arguments[:-1])),
)
def test_a_name_that_is_not_utf_8_is_refused_in_words_wherever_it_stands(
    arguments: tuple[str, ...], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status([*arguments, "--output", form]) == 2

    said = capsys.readouterr()
    assert "is not UTF-8" in said.err
    assert not said.out or orjson.loads(said.out)["error"]["exit_code"] == 2


@pytest.mark.parametrize("name", ["OUT", "FILES", "LEDGER", "ECHO"])
def test_a_name_in_a_variable_that_is_not_utf_8_is_refused_in_words(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"MUSTER_{name}", UNWRITABLE)

    assert status(["run", "in.csv", "--base-url", "http://127.0.0.1:9", "--tenant", "1001"]) == 2
    assert f"MUSTER_{name}: 'b\ufffdd' is not UTF-8" in capsys.readouterr().err


def test_a_working_directory_that_is_not_utf_8_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / UNWRITABLE
    folder.mkdir()
    monkeypatch.chdir(folder)

    assert status(["run", str(tmp_path / "in.csv"), "--base-url", "http://127.0.0.1:9", "--tenant", "1001"]) == 2
    assert "the path of runs is not UTF-8" in capsys.readouterr().err
    assert status(["--help"]) == 0
