"""Who gets into a ledger on a server: passwords by file, service or environment, and TLS that verifies the server."""

import ipaddress
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jobs.errors import Unusable
from jobs.ledger.store import Store
from tests.postgres import NOBODY, Server

PASSWORD = "correct-horse"


@pytest.fixture
def guarded(postgres: Server) -> Iterator[str]:
    """A ledger whose role has to show a password."""
    rules = postgres.data / "pg_hba.conf"
    before = rules.read_text("utf-8")
    rules.write_text(f"local all guarded scram-sha-256\n{before}", "utf-8")
    postgres.ask("SELECT pg_reload_conf()")
    postgres.ask(f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    yield postgres.ledger(role="guarded")
    postgres.ask("DROP OWNED BY guarded")
    postgres.ask("DROP ROLE guarded")
    rules.write_text(before, "utf-8")
    postgres.ask("SELECT pg_reload_conf()")


def private(path: Path, content: str) -> str:
    path.write_text(content, "utf-8")
    path.chmod(0o600)
    return str(path)


def test_a_password_comes_from_a_file_a_service_or_the_environment(
    guarded: str, postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    with pytest.raises(Unusable, match="no password supplied"):
        Store.open(guarded)

    with monkeypatch.context() as environment:
        environment.setenv("PGPASSWORD", PASSWORD)
        Store.open(guarded).close()
    with monkeypatch.context() as environment:
        environment.setenv("PGPASSFILE", private(tmp_path / "pgpass", f"*:*:*:guarded:{PASSWORD}\n"))
        Store.open(guarded).close()
    schema = guarded.rpartition("%3D")[2]
    service = f"[night]\nhost={postgres.folder}\ndbname=postgres\nuser=guarded\npassword={PASSWORD}\n"
    with monkeypatch.context() as environment:
        environment.setenv("PGSERVICEFILE", private(tmp_path / "services", service))
        url = f"postgresql:///?service=night&options=-csearch_path%3D{schema}"
        with Store.opened(url, create=False) as store:
            assert PASSWORD not in store.url


def test_a_wrong_password_is_refused_and_not_shown(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "wrong-horse")

    with pytest.raises(Unusable, match="password authentication failed") as caught:
        Store.open(guarded)

    assert "wrong-horse" not in f"{caught.value!r} {caught.value.hint}"


ADDRESS = "127.9.7.5"
"""Of this machine, like all that begin with 127; no other server listens there."""


OURS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'muster'"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for `name`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    paths[1].chmod(0o600)
    if os.geteuid() == 0:
        os.chown(paths[1], NOBODY, NOBODY)
    return paths


@pytest.mark.slow
def test_a_server_that_can_not_prove_who_it_is_gets_nothing(postgres: Server, tmp_path: Path) -> None:
    shown, key = certificate(postgres.folder, ADDRESS)
    other, _ = certificate(tmp_path, "127.9.7.6")
    settings = ("listen_addresses=" + ADDRESS, "ssl=on", f"ssl_cert_file={shown}", f"ssl_key_file={key}")
    with Server.running(*settings) as server:

        def url(roots: Path) -> str:
            return f"postgresql://postgres@{ADDRESS}/postgres?sslmode=verify-full&sslrootcert={quote(str(roots))}"

        with pytest.raises(Unusable, match="certificate verify failed"):
            Store.open(url(other))
        with Store.opened(url(shown)):
            used = server.ask(f"SELECT ssl FROM pg_stat_ssl WHERE pid IN ({OURS})")
        assert used
        assert {each for (each,) in used} == {True}
