"""A plan is sealed, approved by a second person, run once as it is, and scored afterwards."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jobs.clock import Clock
from jobs.evidence.sealed_plan import Person
from jobs.sandbox.server import Sandbox

from .muster import REPOSITORY, Muster, lines
from .people import Row, people, person

Filed = Callable[[list[Row]], Path]
PROTECTED = ("--protected", "--confirm-tenant")


def key_of(folder: Path, name: str) -> str:
    """A file with a new signing key."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / name
    path.write_bytes(pem)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def people_of(muster: Muster, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes this process work with the signing key of `maker`, of `checker`, or (empty) of nobody."""
    keys = {name: key_of(muster.folder, f"{name}.pem") for name in ("maker", "checker")}

    def be(name: str) -> None:
        if name:
            monkeypatch.setenv("MUSTER_SIGNING_KEY_FILE", keys[name])
        else:
            monkeypatch.delenv("MUSTER_SIGNING_KEY_FILE", raising=False)

    return be


def test_a_protected_tenant_takes_an_approved_plan_only_and_scores_it(
    muster: Muster, sandbox: Sandbox, file_of: Filed, people_of: Callable[[str], None]
) -> None:
    file = file_of([person(1), person(2, "Kycfail"), person(3, phone="1")])
    protected = (*PROTECTED, str(sandbox.tenant))
    people_of("maker")
    assert muster("run", file, *protected).code == 8
    planned = muster("plan", file, "--out", "night.plan", "--deadline", "23:59", "--output", "json")
    sealed = json.loads((muster.folder / "night.plan").read_bytes())["plan"]
    assert sealed["predicted"] == [[1, 2, "create"], [3, 3, "quarantined"]]
    assert json.loads(planned.stdout)["plan"]["file"] == "night.plan"
    assert muster("run", file, "--plan", "night.plan", *protected).code == 8
    assert muster("approve", "night.plan", "--yes").code == 8
    people_of("checker")
    assert muster("approve", "night.plan", "--yes").code == 0
    unconfirmed = muster("run", file, "--plan", "night.plan", "--protected")
    assert (unconfirmed.code, "--confirm-tenant is missing" in unconfirmed.stderr) == (2, True)

    ended = muster("run", file, "--plan", "night.plan", *protected)

    assert ended.outcomes == ["onboarded", "declined", "quarantined"]
    assert ended.summary["prediction"] == [
        {"predicted": "create", "rows": 2, "as_predicted": 1},
        {"predicted": "quarantined", "rows": 1, "as_predicted": 1},
    ]
    assert [(row["source_row"], row["outcome"]) for row in lines(ended.folder / "prediction.csv")] == [
        ("2", "declined")
    ]
    manifest = json.loads((ended.folder / "manifest.json").read_bytes())
    assert manifest["plan"]["made_by"]["key"] != manifest["plan"]["approved_by"]["key"]
    assert muster("verify", ended.folder.name).code == 0
    again = muster("run", file, "--plan", "night.plan", *protected)
    assert (again.code, "was run already" in again.stderr) == (8, True)
    before = (ended.folder / "summary.json").read_bytes()
    muster("report", ended.folder.name)
    assert (ended.folder / "summary.json").read_bytes() == before


@pytest.mark.few(2)
@pytest.mark.parametrize("what", ["file", "setting", "tampered", "expired", "own approval"])
def test_a_plan_that_no_longer_holds_is_stale_and_nothing_is_sent(
    muster: Muster, sandbox: Sandbox, file_of: Filed, what: str
) -> None:
    file, options = file_of(people(2)), ["--plan", "night.plan"]
    assert muster("plan", file, "--out", "night.plan").code == 0
    if what == "file":
        file_of(people(3))
    elif what == "setting":
        options += ["--region", "GB"]
    elif what == "tampered":
        plan = muster.folder / "night.plan"
        plan.write_text(plan.read_text().replace('"rows": 2', '"rows": 3'))
    elif what == "expired":
        muster.clock = Later()
    else:
        sealed = json.loads((muster.folder / "night.plan").read_bytes())
        own = {"approval": {"by": sealed["plan"]["made_by"], "at": "2026-11-21T00:00:00Z"}, "seal": sealed["seal"]}
        (muster.folder / "night.plan.approved").write_text(json.dumps(own))
    before = len(sandbox.journal())

    ended = muster("run", file, *options)

    assert (ended.code, ended.folder.exists()) == (8, False)
    assert len(sandbox.journal()) == before


def test_who_may_approve_can_be_named(muster: Muster, file_of: Filed, people_of: Callable[[str], None]) -> None:
    people_of("maker")
    muster("plan", file_of(people(1)), "--out", "night.plan")
    people_of("checker")

    assert muster("approve", "night.plan", "--yes", "--approvers", "ed25519:0000000000000000").code == 8
    assert not (muster.folder / "night.plan.approved").exists()


def test_a_plan_needs_no_approval_where_nothing_is_protected(muster: Muster, file_of: Filed) -> None:
    file = file_of(people(2))
    muster("plan", file, "--out", "night.plan")

    ended = muster("run", file, "--plan", "night.plan")

    assert (ended.code, ended.outcomes) == (0, ["onboarded", "onboarded"])
    assert muster("plan", file, "--out", "night.plan").code == 2


class Later(Clock):
    """A clock two days ahead."""

    def now(self) -> datetime:
        """The day after tomorrow."""
        return datetime.now(UTC) + timedelta(days=2)


@pytest.mark.parametrize(
    ("maker", "approver", "other"),
    [
        (Person(1, "a", "h"), Person(2, "b", "h"), True),
        (Person(1, "a", "h"), Person(1, "a", "h"), False),
        (Person(1, "a", "h"), Person(1, "b", "h"), False),
        (Person(1, "a", "h"), Person(2, "b", "h", owner=False), False),
        (Person(1, "a", "h", "ed25519:1"), Person(1, "a", "h", "ed25519:2"), True),
        (Person(1, "a", "h", "ed25519:1"), Person(2, "b", "h", "ed25519:1"), False),
        (Person(1, "a", "h", "ed25519:1"), Person(1, "a", "h"), False),
        (Person(1, "a", "h"), Person(1, "a", "h", "ed25519:2"), False),
    ],
)
def test_somebody_else_is_another_key_or_the_owner_of_another_file(
    maker: Person, approver: Person, other: bool
) -> None:
    assert approver.another_than(maker) is other


MAKER, CHECKER = 61001, 61002
"""Users of the machine that nobody else is (chosen)."""


def interpreter(uid: int) -> str:
    """A Python with which that user may run muster; the test is left out where there is none."""
    if os.geteuid() != 0:
        pytest.skip("only root may work as two users")
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-c", "import jobs.cli, polars"], env=PLAIN, user=uid, group=uid, check=False
            )
        except OSError:
            continue
        if done.returncode == 0:
            return python
    pytest.skip("no Python here can be used by another user")


PLAIN = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path[1:]]), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""}


@pytest.mark.slow
def test_two_users_of_the_machine_make_and_approve_a_plan(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    python = interpreter(MAKER)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        (folder / "customers.csv").write_bytes(file_of(people(2)).read_bytes())
        given = {key: value for key, value in os.environ.items() if key.startswith("MUSTER_")}

        def ran(uid: int, *arguments: str) -> int:
            command = [python, "-m", "jobs", *arguments]
            who = {"user": uid, "group": uid, "extra_groups": [], "umask": 0o022}
            return subprocess.run(command, cwd=folder, env={**given, **PLAIN}, check=False, **who).returncode  # type: ignore[call-overload,no-any-return]

        protected = ("--plan", "night.plan", *PROTECTED, str(sandbox.tenant))
        assert ran(MAKER, "plan", "customers.csv", "--out", "night.plan") == 0
        (folder / "night.plan").chmod(0o644)
        assert ran(MAKER, "approve", "night.plan", "--yes") == 8
        assert ran(MAKER, "run", "customers.csv", *protected) == 8
        assert ran(CHECKER, "approve", "night.plan", "--yes") == 0
        approval = folder / "night.plan.approved"
        approval.chmod(0o644)
        assert [path.stat().st_uid for path in (folder / "night.plan", approval)] == [MAKER, CHECKER]
        os.chown(approval, MAKER, MAKER)
        assert ran(MAKER, "run", "customers.csv", *protected) == 8  # it is not the file of who it says
        os.chown(approval, CHECKER, CHECKER)
        assert ran(MAKER, "run", "customers.csv", *protected, "--run-id", "night") == 0
        manifest = json.loads((folder / "runs" / "night" / "manifest.json").read_bytes())
        assert [manifest["plan"][who]["user"] for who in ("made_by", "approved_by")] == ["uid 61001", "uid 61002"]
