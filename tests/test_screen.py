"""What others wrote drives no terminal, wherever it is printed."""

import io
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from jobs.__main__ import status, told
from jobs.commands.options import say, show_json
from jobs.errors import Unusable
from jobs.progress import Lines, Terminal

EVIL = "\x1b]0;owned\x07\x9b31m\u202eabc\r\x00"


def inert(text: str) -> bool:
    return not any(sign in text for sign in "\x1b\x07\x9b\u202e\r\x00") and "\\u001b" in text


def test_a_failure_a_note_and_a_line_are_inert(capsys: pytest.CaptureFixture[str]) -> None:
    told(Unusable(f"{EVIL} can't be read", hint=f"rm {EVIL}"), [])
    Lines().note(EVIL)
    say(f"one {EVIL}\ntwo")
    said = capsys.readouterr()
    assert said.err.count("\\u001b") == 3
    assert inert(said.err)
    assert inert(said.out)
    assert said.out.count("\n") == 2


def test_a_note_above_bars_is_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    Terminal().note(EVIL)
    assert inert(stream.getvalue().replace("\n", ""))


def test_json_means_the_same_and_holds_no_such_sign() -> None:
    @click.command()
    def command() -> None:
        show_json({"reason": EVIL, "name": "Zoë"})

    shown = CliRunner().invoke(command)
    assert inert(shown.stdout)
    assert json.loads(shown.stdout) == {"reason": EVIL, "name": "Zoë"}


@pytest.mark.parametrize("there", [True, False])
def test_the_name_of_a_file_drives_no_screen(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a\x1b[31m\u202eb.csv"
    if there:
        Path(name).write_text("first_name,phone\nThandi,1\n")
    assert status(["validate", name]) != 0
    said = capsys.readouterr()
    assert inert(said.err + said.out)
