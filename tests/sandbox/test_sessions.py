"""The sections of docs/sandbox.md on bLink and BankLingo: their sessions can be pasted, their lists are complete."""

import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from jobs.sandbox.banklingo import system as banklingo
from jobs.sandbox.banklingo.client import STATES
from jobs.sandbox.blink import system as blink
from jobs.sandbox.blink.routes import OPERATIONS
from jobs.sandbox.server import Sandbox

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def pasted(title: str, sandbox: Sandbox, folder: Path) -> str:
    session = section(title).partition("```sh\n")[2].partition("```")[0]
    script = session.replace("http://localhost:8080", "localhost:8080").replace("localhost:8080", sandbox.base_url)
    shell = shutil.which("sh")
    assert shell
    ran = subprocess.run(
        [shell, "-e", "-c", script], cwd=folder, capture_output=True, text=True, timeout=30, check=True
    )
    return ran.stdout


def test_every_switch_and_operation_of_blink_is_named() -> None:
    names = {"token", *OPERATIONS, *(field.name for field in fields(blink.Switches))}
    assert {name for name in names if f"`{name}`" not in section("bLink")} == set()


def test_every_switch_operation_message_and_state_of_banklingo_is_named() -> None:
    messages = {name: operation for known in banklingo.NAMES.values() for name, operation in known.items()}
    names = {*messages, *messages.values(), *(field.name for field in fields(banklingo.Switches))}
    assert {name for name in names if f"`{name}`" not in section("BankLingo")} == set()
    assert {state for state in STATES if state not in section("BankLingo")} == set()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_session_with_blink_can_be_pasted(sandbox: Sandbox, tmp_path: Path) -> None:
    shown = pasted("bLink", sandbox, tmp_path)
    assert [entry["status"] for entry in sandbox.journal()] == [200, 200, 200, 200, 201, 201, 200]
    counts = sandbox.of("blink").snapshot()["counts"]
    assert (counts["customers"], counts["contacts"], counts["addresses"]) == (41, 42, 21)
    assert "\nnextcursor: " in shown.lower()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_session_with_banklingo_can_be_pasted(sandbox: Sandbox, tmp_path: Path) -> None:
    shown = pasted("BankLingo", sandbox, tmp_path)
    assert [entry["status"] for entry in sandbox.journal()] == [200, 200, 200]
    assert [client["state"] for client in sandbox.of("banklingo").snapshot()["customers"]] == ["Active"]
    assert '"approvalStatus":"Approved"' in shown
