"""`--output json`: exactly one document on stdout, also when a command fails, whoever or whatever made it fail."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from jobs.__main__ import status
from jobs.cli import cli
from jobs.commands.options import show_json
from jobs.errors import RETRYABLE, WORDS, ExitCode, Usage
from jobs.ledger.broken import LedgerBroken
from jobs.settings.settings import output_form
from tests.forked import Forked

REPOSITORY = Path(__file__).parents[1]
GOOD = "first_name,last_name,phone,email,national_id\nThandi,Nkosi,0821234567,thandi@example.com,9001015009086\n"
BAD = GOOD.replace("0821234567", "12")
MEMBERS = ["code", "exit_code", "message", "hint", "retryable"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MUSTER_")]:
        monkeypatch.delenv(name)
    Path("in.csv").write_text(GOOD)
    Path("bad.csv").write_text(BAD)


def only(text: str) -> dict[str, Any]:
    """The one document that `text` is."""
    found: dict[str, Any] = json.loads(text)
    assert found["schema_version"] == 1
    return found


def refusal(text: str) -> dict[str, Any]:
    """The `error` of the one document that `text` is."""
    error: dict[str, Any] = only(text)["error"]
    assert list(error) == MEMBERS
    assert error["message"]
    assert error["retryable"] is (ExitCode(error["exit_code"]) in RETRYABLE)
    return error


def leaves() -> list[tuple[str, click.Command]]:
    """Every command that does something, with the words that lead to it."""
    found = []
    for name, command in cli.commands.items():
        inner = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        found += [(f"{name} {below}".strip(), each) for below, each in inner]
    return found


def test_every_way_to_fail_has_a_word_for_programs() -> None:
    ends = {ExitCode.OK, ExitCode.ATTENTION, ExitCode.PENDING}

    assert set(WORDS) == set(ExitCode) - ends
    assert len(set(WORDS.values())) == len(WORDS)
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert [word for word in (*WORDS.values(), Usage.code, LedgerBroken.code) if f"`{word}`" not in text] == []


@pytest.mark.parametrize(("name", "command"), leaves(), ids=lambda each: each if isinstance(each, str) else "")
def test_every_command_takes_the_form_of_its_output(name: str, command: click.Command) -> None:
    assert "--output" in {word for parameter in command.params for word in parameter.opts}, name


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "usage"),
        (["nonsense"], "usage"),
        (["admin-users"], "usage"),
        (["admin-users", "nonsense"], "usage"),
        (["run"], "usage"),
        (["run", "in.csv", "--nonsense"], "usage"),
        (["runs", "--last", "0"], "usage"),
        (["schema", "nonsense"], "usage"),
        (["sandbox", "--port", "99999"], "usage"),
        (["purge"], "usage"),
        (["report", "x", "--seed", "1"], "usage"),
        (["sandbox", "--system", "nonsense"], "unusable"),
        (["init", "."], "unusable"),
        (["run", "absent.csv"], "unusable"),
        (["run", "in.csv", "--concurrency", "many"], "unusable"),
        (["run", "in.csv", "--config", "absent.toml"], "unusable"),
        (["validate", "absent.csv"], "unusable"),
        (["plan", "in.csv"], "unusable"),
        (["register", "in.csv"], "unusable"),
        (["decide", "in.csv", "--command", "approve"], "unusable"),
        (["admin-users", "create", "in.csv"], "unusable"),
        (["admin-users", "list"], "unusable"),
        (["status"], "unusable"),
        (["resume"], "unusable"),
        (["retry", "x"], "unusable"),
        (["kyc", "x"], "unusable"),
        (["reconcile", "x"], "unusable"),
        (["download-profiles", "x"], "unusable"),
        (["report", "x"], "unusable"),
        (["verify", "x"], "unusable"),
        (["forget", "--subject", "9001015009086"], "unusable"),
        (["lookup"], "unusable"),
        (["runs", "--ledger", "nonsense"], "unusable"),
        (["config", "--base-url", "https://u:hunter2@host"], "unusable"),
    ],
    ids=" ".join,
)
def test_a_command_that_can_not_begin_says_so_in_one_document(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("muster.toml").write_text('region = "ZA"\n')

    code = status([*arguments, "--output", "json"])

    said = capsys.readouterr()
    error = refusal(said.out)
    assert (error["code"], error["exit_code"], code) == (word, 2, 2)
    assert said.err
    assert "hunter2" not in said.out + said.err


def test_without_json_nothing_of_a_failure_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["nonsense"], ["status"], ["run", "absent.csv"]):
        assert status(arguments) == 2
        assert capsys.readouterr().out == ""


def test_the_form_is_found_on_command_lines_and_in_settings_that_are_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    Path("muster.toml").write_text('output = "json"\nregoin = "ZA"\n')
    assert status(["status"]) == 2
    assert "regoin" in refusal(capsys.readouterr().out)["message"]

    Path("other.toml").write_text("output = 'json'\n")
    cases: list[tuple[list[str], dict[str, str], str]] = [
        ([], {}, "json"),
        (["--output", "text"], {}, "text"),
        (["--output=json", "--output", "text"], {}, "text"),
        (["--", "--output", "text"], {}, "json"),
        (["--output"], {}, "json"),
        ([], {"MUSTER_OUTPUT": "text"}, "text"),
        (["--config=none.toml"], {}, "text"),
        (["--config", "other.toml"], {}, "json"),
        ([], {"MUSTER_CONFIG": "in.csv"}, "text"),
    ]
    assert [output_form(arguments, environ) for arguments, environ, _ in cases] == [form for _, _, form in cases]


def test_a_personal_number_on_the_command_line_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["lookup", "9001015009086", "--output", "json"]) == 2

    assert "9001015009086" not in capsys.readouterr().out


def test_a_hint_is_a_command_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    status(["run", "in.csv", "--nonsense", "--output", "json"])
    assert refusal(capsys.readouterr().out)["hint"] == "muster run --help"

    status(["run", "in.csv", "--tenant", "1", "--output", "json"])
    assert refusal(capsys.readouterr().out)["hint"]


def test_a_defect_is_one_document_without_a_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Panic(BaseException):
        """As native libraries raise it."""

    for defect in (KeyError, Panic, RecursionError):

        def fail(defect: type[BaseException] = defect) -> None:
            raise defect("9001015009086")

        monkeypatch.setitem(cli.commands, "broken", click.Command("broken", callback=fail))
        monkeypatch.setenv("MUSTER_OUTPUT", "json")

        assert status(["broken"]) == 70

        said = capsys.readouterr()
        error = refusal(said.out)
        assert (error["code"], error["exit_code"], error["retryable"]) == ("internal", 70, False)
        assert defect.__name__ in error["message"]
        assert "9001015009086" not in said.out + said.err


def test_a_command_that_fails_after_its_document_prints_no_second_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def late() -> None:
        show_json({"schema_version": 1, "accepted": 1})
        raise OSError(28, "No space left on device", "runs")

    monkeypatch.setitem(cli.commands, "late", click.Command("late", callback=late))
    monkeypatch.setenv("MUSTER_OUTPUT", "json")

    code = status(["late"])

    said = capsys.readouterr()
    assert (only(said.out)["accepted"], code != 0) == (1, True)
    assert "No space left on device" in said.err


def test_rows_that_need_attention_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["validate", "bad.csv", "--output", "json"]) == 1

    document = only(capsys.readouterr().out)
    assert (document["quarantined"], "error" in document) == (1, False)


def test_evidence_that_does_not_verify_is_told_with_its_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["verify", ".", "--output", "json"]) == 7

    said = capsys.readouterr().out
    assert only(said)["verified"] is False
    assert refusal(said)["code"] == "unproven"


def test_beginnings_and_stand_ins_print_documents_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["init", "here", "--output", "json"]) == 0
    assert only(capsys.readouterr().out)["made"] == [
        "here/muster.toml",
        "here/muster.schema.json",
        "here/customers.csv",
    ]

    with process("sandbox", "--port", "0", "--output", "json") as served:
        assert served.stdout is not None
        said = served.stdout.readline()
        while not said.endswith("}\n") or "systems" not in said or said.count("{") != said.count("}"):
            said += served.stdout.readline()
        served.terminate()
        assert served.wait(30) == 0
    assert only(said)["systems"]["eclipse"].startswith("http://127.0.0.1:")


def process(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """The program in a process of its own."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return Forked(arguments, os.environ, **(pipes | options))


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_is_told_in_the_document(number: signal.Signals, code: int, word: str) -> None:
    header, row = GOOD.splitlines(keepends=True)
    Path("in.csv").write_text(header + row * 400_000)
    with process("validate", "in.csv", "--output", "json") as child:
        while not list(Path().glob("runs/.work-*/*")) and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(number)
        said = child.communicate(timeout=30)

    assert child.returncode == code, said
    error = refusal(said[0])
    assert (error["code"], error["exit_code"], error["retryable"]) == (word, code, True)


def test_nobody_who_reads_is_no_reason_for_a_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed, process("status", "--output", "json", stdout=closed) as child:
        said = child.communicate(timeout=30)[1]

    assert child.returncode == 2
    assert "there is no ledger" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_stdout_is_no_reason_for_a_traceback() -> None:
    with Path("/dev/full").open("wb") as full, process("status", "--output", "json", stdout=full) as child:
        said = child.communicate(timeout=30)[1]

    assert child.returncode == 2
    assert "Traceback" not in said
    assert "Exception ignored" not in said


def test_too_few_open_files_are_told_in_the_document() -> None:
    finished = subprocess.run(
        ["sh", "-c", f"ulimit -n 60; exec {sys.executable} -m jobs runs --output json"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 2
    assert "60 files" in refusal(finished.stdout)["message"]
