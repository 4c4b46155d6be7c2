"""How muster logs in at Eclipse beyond a password: with a key, with a CSRF token, below another path, under limits."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster
from tests.flow.people import Row, people, written
from tests.keys import rsa_key

Filed = Callable[[list[Row]], Path]


def public(key: rsa.RSAPrivateKey) -> str:
    """As the platform keeps it: base64 of DER."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def private(path: Path, key: rsa.RSAPrivateKey) -> Path:
    """PEM, as an operator keeps it."""
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    path.chmod(0o600)
    return path


@pytest.fixture
def keyed(muster: Muster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator without a password, and its key."""
    sandbox.configure(
        credentials=[{"identity": "keyed", "password": "never-sent", "tenant": 1001, "public_key": public(rsa_key())}]
    )
    (muster.folder / "muster.toml").write_text('[eclipse]\nlogin = "pki"\n')
    monkeypatch.setenv("MUSTER_IDENTITY", "keyed")
    monkeypatch.delenv("MUSTER_PASSWORD")
    path = private(muster.folder / "key.pem", rsa_key())
    monkeypatch.setenv("MUSTER_PRIVATE_KEY_FILE", str(path))
    return path


def test_a_signed_challenge_takes_the_place_of_a_password(
    muster: Muster, sandbox: Sandbox, file_of: Filed, keyed: Path
) -> None:
    ended = muster("run", file_of(people(2)))
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 2)
    assert [entry["operation"] for entry in sandbox.journal()[:2]] == ["login_challenge", "login"]
    secret = keyed.read_text().splitlines()[1].encode()
    left = [path for path in muster.folder.rglob("*") if path.is_file() and path != keyed]
    assert [path.name for path in left if secret in path.read_bytes()] == []


def test_a_strangers_key_ends_with_4_and_sends_nothing(
    muster: Muster, sandbox: Sandbox, file_of: Filed, keyed: Path
) -> None:
    private(keyed, rsa_key("stranger"))
    assert muster("run", file_of(people(1))).code == 4
    assert {entry["operation"] for entry in sandbox.journal()} == {"login_challenge", "login"}


@pytest.mark.parametrize(
    ("content", "words"), [("no key at all", "no RSA key in PEM"), ("", "no credential")], ids=["garbage", "empty"]
)
def test_a_key_that_is_none_says_so(muster: Muster, file_of: Filed, keyed: Path, content: str, words: str) -> None:
    keyed.write_text(content)
    ended = muster("run", file_of(people(1)))
    assert ended.code in {2, 4}
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_names_of_the_procedure_are_settings(muster: Muster, sandbox: Sandbox, file_of: Filed, keyed: Path) -> None:
    (muster.folder / "muster.toml").write_text('[eclipse]\nlogin = "pki"\nchallenge_member = "nonce"\n')
    ended = muster("run", file_of(people(1)))
    assert (ended.code, "has no nonce" in ended.stderr) == (4, True)


def test_a_login_procedure_that_nobody_knows_is_refused(muster: Muster, file_of: Filed) -> None:
    (muster.folder / "muster.toml").write_text('[eclipse]\nlogin = "fax"\n')
    ended = muster("run", file_of(people(1)))
    assert (ended.code, "neither password nor pki" in ended.stderr) == (2, True)


def test_a_renewal_carries_the_csrf_token_that_came_with_the_login(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.configure(csrf=True, latency_ms=10.0)
    monkeypatch.setattr("jobs.transport.credential.RENEW_BELOW_SECONDS", 86_400.0)  # in good time: at once
    monkeypatch.setattr("jobs.transport.credential.RENEW_BELOW_SHARE", 1.0)
    monkeypatch.setattr("jobs.transport.credential.SHORTEST_USE_SECONDS", 0.2)
    ended = muster("run", file_of(people(10)), "--concurrency", "1")
    renewals = [entry["status"] for entry in sandbox.journal() if entry["operation"] == "renew"]
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 10)
    assert set(renewals) == {200}, "one that has no CSRF token is refused with 403"


@pytest.fixture
def branded(monkeypatch: pytest.MonkeyPatch, muster: Muster) -> Iterator[Sandbox]:
    with Sandbox(eclipse_prefix="acme-conductor") as sandbox:
        monkeypatch.setenv("MUSTER_BASE_URL", sandbox.base_url)
        yield sandbox


def test_a_white_labelled_platform_has_another_prefix(muster: Muster, branded: Sandbox) -> None:
    path = written(muster.folder / "customers.csv", people(2))
    assert muster("run", path).code == 4
    (muster.folder / "muster.toml").write_text('[eclipse]\nprefix = "acme-conductor"\n')
    assert muster("run", path).outcomes == ["onboarded"] * 2
    assert len(branded.state.wallets) == 2


@pytest.mark.few(1)
@pytest.mark.parametrize("limit", ["user_limit", "tenant_limit"])
def test_a_run_under_a_limit_of_all_calls_ends_well(
    muster: Muster, sandbox: Sandbox, file_of: Filed, hasty: None, limit: str
) -> None:
    sandbox.configure(**{limit: "30/1"})
    ended = muster("run", file_of(people(6)))
    refused = [entry for entry in sandbox.journal() if entry["status"] == 429]
    assert (ended.code, ended.outcomes) == (0, ["onboarded"] * 6)
    assert refused
    assert len(sandbox.state.customers) == len(sandbox.state.wallets) == 6
