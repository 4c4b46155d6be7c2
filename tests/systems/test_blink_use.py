"""Around a run at bLink: consent, reconciliation, look-up, preflight, what is left behind, the guide."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.sandbox.server import Sandbox
from tests.flow.muster import REPOSITORY, Muster, lines
from tests.flow.test_leaks import OWN, everything, leaks

from .blink import (
    ENDINGS,
    REFRESH,
    Filed,
    configure,
    row,
    strangers,
)
from .blink import muster as muster


def test_a_used_refresh_token_is_replaced_in_its_file(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    refresh = muster.folder / "refresh-token"
    sandbox.faults([{"operation": "create_contact", "kind": "unauthorized", "nth": 1}])
    ended = muster("run", file_of([row(1)]))
    kept = refresh.read_text().strip()
    assert (ended.code, ended.outcomes) == (0, ["onboarded"])
    assert kept not in {"", REFRESH}
    assert muster("run", file_of([row(2)])).code == 0
    assert kept not in "".join(raw.decode("latin-1") for raw in everything(muster, ended).values())


def test_an_expired_consent_ends_with_4_and_asks_for_a_person(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    configure(sandbox, refuse_refresh=True)
    ended = muster("run", file_of([row(1)]))
    assert ended.code == 4
    assert "a person has to renew the consent" in ended.stderr
    assert not ended.folder.exists()
    assert {entry["operation"] for entry in sandbox.journal()} == {"token"}


def test_a_stored_consent_needs_no_token(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(sandbox, caas=True)
    for name in ("IDENTITY", "PASSWORD_FILE"):
        monkeypatch.delenv(f"MUSTER_{name}")
    assert muster("run", file_of([row(1)])).code == 2
    assert sandbox.journal() == []
    consent = 'permission_id = "00000000-0000-4000-8000-000000000001"'
    (muster.folder / "muster.toml").write_text(f"[blink]\n{consent}\nsettle_seconds = 0.4\n")
    ended = muster("run", file_of([row(1)]))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"])


def test_reconciling_finds_what_was_changed_since(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of([row(number) for number in (1, 2, 3, 4)]))
    assert ended.code == 0
    bank = sandbox.of("blink")
    persons = {each["personIdentification"]: each["contacts"] for each in bank.snapshot()["persons"]}
    bank.amend("contacts", persons["P-0001"][-1]["contactIdentification"], deleted=True)
    bank.amend("contacts", persons["P-0002"][1]["contactIdentification"], contactContent="other@example.org")
    bank.amend("customers", "C-0003", deleted=True)
    bank.amend("customers", "C-0004", status="inactive")
    again = muster("reconcile", ended.folder.name)
    found = [folder for folder in ended.folder.iterdir() if folder.name.startswith("reconcile-")]
    told = lines(found[0] / "reconciliation.csv")
    seen = sorted((line["customer_id"], line["class"], line["field"]) for line in told)
    assert seen == [
        ("C-0001", "field_difference", "phone"),
        ("C-0002", "field_difference", "email"),
        ("C-0003", "missing_in_target", "customer_id"),
        ("C-0004", "status_difference", "status"),
    ]
    assert again.code == 1


def test_without_the_input_a_row_is_not_called_a_match(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    path = file_of([row(1), row(2), row(3)])
    ended = muster("run", path)
    path.unlink()
    sandbox.of("blink").amend("customers", "C-0002", status="closed")
    sandbox.of("blink").amend("customers", "C-0003", deleted=True)
    assert muster("reconcile", ended.folder.name).code == 1
    found = next(folder for folder in ended.folder.iterdir() if folder.name.startswith("reconcile-"))
    classes = [line["class"] for line in lines(found / "reconciliation.csv")]
    assert classes == ["unverified", "status_difference", "missing_in_target"]


def test_a_look_up_shows_no_name(muster: Muster) -> None:
    by_id = muster("lookup", "--customer-id", "C-0003")
    by_reference = muster("lookup", "--reference", "X-0003")
    assert (by_id.code, by_reference.code) == (0, 0)
    assert "customerId=C-0003" in by_id.stdout
    assert "customerId=C-0003" in by_reference.stdout
    assert muster("lookup", "--customer-id", "C-none").code == 1
    assert muster("lookup", "--i-know", "--phone", "+41791234567").code == 2


def test_the_doctor_asks_for_health_and_customers(muster: Muster, sandbox: Sandbox) -> None:
    ended = muster("doctor")
    assert ended.code == 0, ended.stdout
    assert "20 on the first page" in ended.stdout
    assert {entry["operation"] for entry in sandbox.journal()} == {"token", "healthcheck", "list_customers"}


@pytest.mark.slow
def test_nothing_personal_is_left_but_in_the_quarantine(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    strangers(sandbox)
    rows = [given for given, _, _ in ENDINGS] + [row(15), row(16)]
    sandbox.faults([{"operation": "update_address", "kind": "drop_before_commit"}])
    ended = muster("run", file_of(rows), "-v")
    told = everything(muster, ended, muster("reconcile", "run-1"))
    values = {given["email"]: f"e-mail of {given['row_ref']}" for given in rows if "email" in given}
    values |= {given["phone"]: f"phone of {given['row_ref']}" for given in rows if len(given.get("phone", "")) > 5}
    values |= {f"Seestrasse {number}": "street" for number in (1, 15, 16)} | {"Zollikerberg": "town"}
    kept = (muster.folder / "refresh-token").read_text().strip()
    private = {name: raw for name, raw in told.items() if OWN not in name and "refresh-token" not in name}
    assert leaks(private, values | {kept: "refresh token", REFRESH: "refresh token"}) == []


@pytest.mark.slow
def test_the_session_of_the_guide_can_be_pasted(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "blink.md").read_text(encoding="utf-8")
    session = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[-1]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    (tmp_path / "sample_data").symlink_to(REPOSITORY / "sample_data")
    program = tmp_path / "muster"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m jobs \"$@\"\n")
    program.chmod(0o700)
    script = f"set -e\n{session}".replace("8080", port).replace("blink &", "blink > listening & trap 'kill $!' EXIT")
    script = script.replace("printf", "until [ -s listening ]; do sleep 0.1; done; printf", 1)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "customerId=C-0003" in done.stdout
