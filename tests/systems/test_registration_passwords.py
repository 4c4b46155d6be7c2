"""Passwords of a registration: sent, delivered where they were to be, and left nowhere else."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from jobs.keys import KeySpace
from jobs.sandbox.server import Sandbox
from jobs.systems import adapter
from jobs.systems.contract import Setup
from jobs.systems.eclipse.system import EclipseSettings
from jobs.systems.row import Row, View
from tests.flow.muster import Muster, lines
from tests.flow.people import Row as Cells
from tests.flow.test_leaks import everything, leaks
from tests.keys import rsa_key

from .registered import DELIVERED, PASSWORDS, delivered, login_of, newcomer, newcomers

Filed = Callable[[list[Cells]], Path]


pytestmark = pytest.mark.usefixtures("onboarding")


def test_a_password_of_the_input_is_sent_as_it_is_and_not_delivered(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    row = newcomer(1, password="Corr3ct horse!", totp_enabled="false")
    ended = muster("register", file_of([row]))
    assert ended.outcomes == ["onboarded"]
    assert login_of(sandbox, row).password == "Corr3ct horse!"
    assert not (muster.folder / DELIVERED).exists()


@pytest.mark.few(2)
@pytest.mark.parametrize("blank", [" Corr3ct horse!", "Corr3ct horse! ", "ab", "x" * 81])
def test_a_password_that_could_not_be_typed_again_is_quarantined(muster: Muster, file_of: Filed, blank: str) -> None:
    ended = muster("register", file_of([newcomer(1, password=blank), newcomer(2, password="Corr3ct horse!")]))
    assert ended.outcomes == ["quarantined", "onboarded"]
    assert ended.rows[0]["reason_code"] == "value_invalid:password"


def test_nothing_is_sent_when_passwords_could_not_be_delivered(
    muster: Muster, sandbox: Sandbox, file_of: Filed
) -> None:
    ended = muster("register", file_of(newcomers(2)))
    assert (ended.code, "2 rows have no password" in ended.stderr) == (2, True)
    (muster.folder / DELIVERED).write_text("")
    (muster.folder / DELIVERED).chmod(0o644)
    ended = muster("register", file_of(newcomers(2)), *PASSWORDS)
    assert (ended.code, "others may read" in ended.stderr) == (2, True)
    assert sandbox.journal() == []


@pytest.mark.slow
def test_an_ordinary_run_of_the_same_file_goes_on_and_shows_no_password(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of([newcomer(1, password="Corr3ct horse!"), newcomer(2)])
    muster("register", path, *PASSWORDS)
    monkeypatch.setenv("MUSTER_IDENTITY", sandbox.identity)
    monkeypatch.setenv("MUSTER_PASSWORD", sandbox.password)
    ended = muster("run", path)
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert "password" not in ended.rows[0]
    assert len(sandbox.state.customers) == len(sandbox.state.wallets) == 2


def test_no_password_is_left_anywhere_but_where_it_was_delivered(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None
) -> None:
    note = {"note": "told her: corr3ct HORSE!", "old_password": "Winter-2020"}
    rows = [newcomer(1, password="Corr3ct horse!", **note), newcomer(2), newcomer(3, "Refused"), newcomer(4)]
    words = [{"code": "VAL001", "type": "BUSINESS", "description": "password: 'Corr3ct horse!' is too well known"}]
    refusal = {"kind": "status", "nth": 1, "params": {"status": 400, "body": words}}
    lost = {"kind": "drop_after_commit", "nth": 2}
    sandbox.faults([{"operation": "create_identity"} | refusal, {"operation": "create_identity"} | lost])
    ended = muster("register", file_of(rows), *PASSWORDS, "-v", "--concurrency", "1")
    assert ended.counts == {"rejected": 2, "onboarded": 2}
    more = [muster("status"), muster("report", "run-1"), muster("reconcile", "run-1"), muster("resume", "-v")]
    secrets = dict.fromkeys(delivered(muster.folder).values(), "generated")
    secrets |= {"Corr3ct horse!": "given", "corr3ct HORSE!": "noted", "Winter-2020": "old"}
    told = {name: raw for name, raw in everything(muster, ended, *more).items() if not name.startswith(DELIVERED)}
    assert leaks(told, secrets | {row["identity"]: "login name" for row in rows}) == []


def opened(folder: Path) -> dict[str, str]:
    """Passwords by identity, decrypted."""
    key, found = rsa_key(), {}
    for line in lines(folder / DELIVERED):
        label = ",".join(list(line.values())[:-1]).encode()
        scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)
        found[line["identity"]] = key.decrypt(base64.b64decode(line["password_encrypted"]), scheme).decode()
    return found


@pytest.fixture
def encrypted(muster: Muster) -> tuple[str, ...]:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = rsa_key().public_key().public_bytes(serialization.Encoding.PEM, form)
    (muster.folder / "helpdesk.pem").write_bytes(pem)
    return (*PASSWORDS, "--encrypt-to", "helpdesk.pem")


def test_passwords_may_be_delivered_so_that_one_key_alone_opens_them(
    muster: Muster, sandbox: Sandbox, file_of: Filed, encrypted: tuple[str, ...]
) -> None:
    rows = newcomers(2)
    ended = muster("register", file_of(rows), *encrypted)
    assert ([line["warnings"] for line in ended.rows], ended.code) == (["", ""], 0)
    assert opened(muster.folder) == {row["identity"]: login_of(sandbox, row).password for row in rows}
    told = everything(muster, ended)
    assert leaks(told, dict.fromkeys(opened(muster.folder).values(), "generated")) == []


@pytest.mark.few(1)
@pytest.mark.parametrize(("when", "warning"), [("after", "handover_unproven:passwords"), ("before", "")])
def test_the_last_encrypted_password_of_a_killed_run_is_the_right_one(
    muster: Muster,
    sandbox: Sandbox,
    file_of: Filed,
    encrypted: tuple[str, ...],
    hasty: None,
    when: str,
    warning: str,
) -> None:
    rows = newcomers(1)
    muster.killed("create_identity", when, 1, "register", file_of(rows), *encrypted)
    ended = muster("resume")
    assert [(line["outcome"], line["warnings"]) for line in ended.rows] == [("onboarded", warning)]
    assert opened(muster.folder) == {rows[0]["identity"]: login_of(sandbox, rows[0]).password}


def test_no_digest_of_a_password_is_made(muster: Muster) -> None:
    steps = (
        adapter("eclipse:registration").system(Setup("1001", KeySpace.of("eclipse", "1001")), EclipseSettings()).steps
    )
    identity = next(step for step in steps if step.name == "identity")
    made = []
    for password in ("Corr3ct horse!", "Wr0ng horse!"):
        row = Row(1, None, "cust-1", {"identity": "thandi.1"}, "", "", None, {"password": password})
        made.append(identity.write(View(row, {"customer_id": "7"})))
        assert password not in repr(row)
    assert made[0].body != made[1].body
    assert made[0].described == made[1].described == b'{"identity":"thandi.1"}'
