"""docs/sandbox.md says what is true: its examples are accepted, its lists are complete."""

import re
from dataclasses import fields
from pathlib import Path

import httpx
import orjson

from jobs.sandbox.eclipse.system import OPEN, TENANT
from jobs.sandbox.faults import KINDS
from jobs.sandbox.server import Sandbox
from jobs.sandbox.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")

EXAMPLE = re.compile(r"curl -s (?:-X POST )?localhost:8080/__sandbox(/\w+)(?: -d '([^']*)')?")


def test_every_example_is_accepted(control: httpx.Client) -> None:
    examples = EXAMPLE.findall(TEXT)
    codes = [control.post(path, content=body or None).status_code for path, body in examples]
    assert len(examples) > 15
    assert set(codes) == {200}


def test_every_kind_of_fault_has_an_example() -> None:
    rules = [rule for path, body in EXAMPLE.findall(TEXT) if path == "/faults" for rule in orjson.loads(body)]
    assert {rule["kind"] for rule in rules} == set(KINDS)


def test_every_operation_and_every_setting_is_named() -> None:
    names = {name for name, _ in (*OPEN.values(), *TENANT.values())} | {field.name for field in fields(Settings)}
    assert {name for name in names if f"`{name}`" not in TEXT} == set()


def test_the_default_credentials_are_the_documented_ones(sandbox: Sandbox) -> None:
    shown = [(sandbox.identity, sandbox.password), (sandbox.onboarding_identity, sandbox.onboarding_password)]
    assert all(f"| `{identity}` | `{password}` | 1001 |" in TEXT for identity, password in shown)
