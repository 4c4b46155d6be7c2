"""docs/sandbox.md about Omnumi and Azakaw: all switches, operations and scenarios; sessions that work as pasted."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from jobs.sandbox.azakaw import switches as azakaw_switches
from jobs.sandbox.azakaw import system as azakaw
from jobs.sandbox.omnumi import errors as omnumi_errors
from jobs.sandbox.omnumi import system as omnumi
from jobs.sandbox.server import Sandbox

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("title", "form"), [("Omnumi", omnumi.Switches), ("Azakaw", azakaw_switches.Switches)])
def test_every_switch_is_documented(title: str, form: type[omnumi.Switches | azakaw_switches.Switches]) -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE))
    assert {item.name for item in fields(form)} <= rows


def test_every_entry_and_every_last_name_of_omnumi_is_documented() -> None:
    text = section("Omnumi")
    names = {*omnumi_errors.CATALOGUE, *(ending.capitalize() for ending in omnumi_errors.SCENARIOS)}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_every_operation_and_every_last_name_of_azakaw_is_documented() -> None:
    names = {name for name, _ in azakaw.OPERATIONS.values()}
    names |= {ending.capitalize() for ending in (*azakaw.SCENARIOS, "refused")}
    assert [name for name in sorted(names) if f"`{name}`" not in section("Azakaw")] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("title", ["Omnumi", "Azakaw"])
def test_the_session_works_as_pasted(sandbox: Sandbox, tmp_path: Path, title: str) -> None:
    [session] = re.findall(r"^```sh\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)
    script = session.replace("localhost:8080", sandbox.base_url.removeprefix("http://"))
    ended = subprocess.run(["bash", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "error" not in ended.stdout
    assert sandbox.of(title.lower()).snapshot()["counts"]["customers"] == 1
    assert {entry["status"] for entry in sandbox.journal()} <= {200, 201}


@pytest.mark.parametrize(
    ("system", "member", "changed"), [("omnumi", "email", "complianceStatus"), ("azakaw", "customerEmail", "kycState")]
)
def test_the_control_paths_reach_each_system(control: httpx.Client, system: str, member: str, changed: str) -> None:
    query = {"system": system}
    control.post("/customers", params=query, json={member: "a@example.com"})
    [row] = control.get("/state", params=query).json()["customers"]
    number = row.get("customerAccountId") or row.get("submissionId")
    codes = [
        control.patch(f"/customers/{number}", params=query, json={changed: "Rejected"}).status_code,
        control.patch("/customers/unknown", params=query, json={"deleted": True}).status_code,
        control.patch(f"/wallets/{number}", params=query, json={"deleted": True}).status_code,
    ]
    assert codes == [200, 404, 404]
    assert [row[changed] for row in control.get("/state", params=query).json()["customers"]] == ["Rejected"]
