"""A time stamp over the manifest, by an authority on this machine; openssl says whose it is."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from .muster import Muster
from .people import Row, person
from .test_privacy import both_verify

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT TESTED: there is no openssl")

CONFIGURATION = """
[req]
distinguished_name = name
x509_extensions = tsa
prompt = no
[name]
CN = authority
[tsa]
extendedKeyUsage = critical,timeStamping
[authority]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
"""


def openssl(folder: Path, *arguments: str | Path) -> int:
    return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False).returncode


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Its folder, in which `ca.pem` is, and its URL."""
    folder = tmp_path / "authority"
    folder.mkdir()
    (folder / "conf").write_text(CONFIGURATION)
    (folder / "serial").write_text("01\n")
    made = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "conf")
    assert openssl(folder, *made, "-keyout", "key.pem", "-out", "ca.pem") == 0

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            asked = ("ts", "-reply", "-config", "conf", "-section", "authority", "-queryfile", "query")
            done = openssl(folder, *asked, "-signer", "ca.pem", "-inkey", "key.pem", "-out", "reply")
            self.send_response(200 if done == 0 and not (folder / "shut").exists() else 503)
            self.end_headers()
            self.wfile.write((folder / "reply").read_bytes())

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/tsa"
        server.shutdown()


def test_a_manifest_is_stamped_and_openssl_agrees(
    muster: Muster, file_of: Callable[[list[Row]], Path], authority: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = authority
    monkeypatch.setenv("MUSTER_TIMESTAMP_URL", url)
    ended = muster("run", file_of([person(1)]))
    stamp = ended.folder / "manifest.json.tsr"
    checked = ("ts", "-verify", "-data", ended.folder / "manifest.json", "-in", stamp, "-CAfile", "ca.pem")
    assert openssl(folder, *checked) == 0
    both_verify(muster, ended.folder)
    assert muster("report", "run-1", "--sample", "1").code == 0
    assert openssl(folder, *checked) == 0
    assert (ended.folder / "manifest-1.json.tsr").exists()
    both_verify(muster, ended.folder)
    (folder / "shut").touch()
    assert muster("report", "run-1").code == 0
    assert not stamp.exists()
    both_verify(muster, ended.folder)
