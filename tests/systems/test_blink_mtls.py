"""Mutual TLS for real: a bank that demands a client certificate, and is verified with roots of its own."""

import datetime as dt
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster
from tests.flow.people import written

from .blink import environment, row

Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def issued(folder: Path, name: str, issuer: Pair | None = None) -> Pair:
    """A certificate and its key, also as PEM files in `folder`; without an issuer it is a root."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    building = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    made = building.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    for suffix, encryption in (
        ("key", serialization.NoEncryption()),
        ("locked.key", serialization.BestAvailableEncryption(b"secret")),
    ):
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        (folder / f"{name}.{suffix}").write_bytes(pem)
    return made, key


class Gateway:
    """Ends TLS in front of the stand-in, for clients with a certificate of the root only."""

    def __init__(self, folder: Path, target: str) -> None:
        self.clients: set[str] = set()
        gateway, inner = self, httpx.Client(trust_env=False)

        class Passing(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shown = self.connection.getpeercert()
                gateway.clients.add(dict(shown["subject"][0])["commonName"])
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                reply = inner.request(self.command, target + self.path, content=body, headers=headers)
                self.send_response(reply.status_code)
                for name, value in reply.headers.items():
                    if name.lower() not in {"date", "server", "connection"}:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.content)

            do_POST = do_PUT = do_GET  # noqa: N815 - names that the library demands

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "bank.pem", folder / "bank.key")
        context.load_verify_locations(folder / "root.pem")
        context.verify_mode = ssl.CERT_REQUIRED

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self.inner, self.server = inner, Server(("127.0.0.1", 0), Passing)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.base_url = f"https://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()
        self.inner.close()


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    root = issued(folder, "root")
    issued(folder, "bank", root)
    issued(folder, "muster", root)
    issued(folder, "stranger", issued(folder, "other-root"))
    return folder


@pytest.fixture
def gateway(papers: Path) -> Iterator[Gateway]:
    with Sandbox() as sandbox:
        made = Gateway(papers, sandbox.of("blink").base_url)
        thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.close()
        thread.join(5)


@pytest.fixture
def muster(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hasty: None
) -> Muster:
    with Sandbox() as unused:
        environment(unused, tmp_path, monkeypatch)
        monkeypatch.setenv("MUSTER_BASE_URL", gateway.base_url)
        written(tmp_path / "customers.csv", [row(1)])
        return Muster(tmp_path, unused, capsys.readouterr)


def settings(muster: Muster, **files: Path) -> None:
    table = "".join(f'{name} = "{path}"\n' for name, path in files.items())
    (muster.folder / "muster.toml").write_text(f"[blink]\nsettle_seconds = 0.4\n{table}")


def test_a_run_shows_its_certificate_and_verifies_the_bank(muster: Muster, gateway: Gateway, papers: Path) -> None:
    ours = {"certificate": papers / "muster.pem", "certificate_key": papers / "muster.key"}
    settings(muster, ca_file=papers / "root.pem", **ours)
    ended = muster("run", muster.folder / "customers.csv")
    assert (ended.code, ended.outcomes) == (0, ["onboarded"]), ended.stderr
    assert gateway.clients == {"muster"}


@pytest.mark.parametrize("ours", [None, "stranger"], ids=["no certificate", "a stranger's certificate"])
def test_without_the_right_certificate_nothing_is_answered(
    muster: Muster, gateway: Gateway, papers: Path, ours: str | None
) -> None:
    files = {} if ours is None else {"certificate": papers / f"{ours}.pem", "certificate_key": papers / f"{ours}.key"}
    settings(muster, ca_file=papers / "root.pem", **files)
    assert muster("run", muster.folder / "customers.csv").code == 4
    assert gateway.clients == set()


def test_a_bank_that_the_roots_do_not_vouch_for_is_sent_nothing(muster: Muster, gateway: Gateway, papers: Path) -> None:
    ours = {"certificate": papers / "muster.pem", "certificate_key": papers / "muster.key"}
    for roots in ({}, {"ca_file": papers / "other-root.pem"}):
        settings(muster, **ours, **roots)
        ended = muster("run", muster.folder / "customers.csv")
        assert ended.code == 4
        assert "no connection" in ended.stderr
    assert gateway.clients == set()


@pytest.mark.parametrize(
    "files",
    [
        {"certificate": "muster.pem", "certificate_key": "muster.locked.key"},
        {"certificate": "muster.pem", "certificate_key": "bank.key"},
        {"certificate": "muster.pem", "certificate_key": "none.key"},
        {"ca_file": "none.pem"},
        {"ca_file": "muster.key"},
    ],
)
def test_a_file_that_cannot_be_used_ends_with_2(
    muster: Muster, gateway: Gateway, papers: Path, files: dict[str, str]
) -> None:
    settings(muster, **{name: papers / file for name, file in files.items()})
    ended = muster("run", muster.folder / "customers.csv")
    assert ended.code == 2
    assert "can't be used" in ended.stderr
    assert gateway.clients == set()
