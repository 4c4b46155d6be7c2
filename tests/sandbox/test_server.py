"""Starting and stopping, loopback only, and the independence of the oracle."""

import ast
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

import jobs.sandbox
from jobs.sandbox.server import Sandbox, serve

from .caller import PREFIX

FOLDER = Path(jobs.sandbox.__file__).parent

ALLOWED = {"orjson", "starlette", "uvicorn"}

SERVE = """
from jobs.sandbox.server import serve
serve("127.0.0.1", 0, announce=lambda urls: print(urls["eclipse"], flush=True), token_seconds=7)
"""


def imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_sandbox_imports_nothing_of_the_program() -> None:
    files = sorted(FOLDER.rglob("*.py"))
    foreign = {
        (file.name, name)
        for file in files
        for name in imported(file)
        if not name.startswith("jobs.sandbox")
        and name.split(".")[0] not in ALLOWED
        and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert len(files) > 20
    assert foreign == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_announces_and_ends_with_0_on_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        body = {"identity": "operator", "password": "operator-password"}
        with httpx.Client(trust_env=False) as client:
            reply = client.post(f"{url}{PREFIX}/authentication/login", json=body)
            process.send_signal(number)
            _, errors = process.communicate(timeout=10)
    assert reply.json()["expiresEpochSecs"] - time.time() < 9
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        serve(host, 0, announce=lambda _: None)


def test_a_taken_port_is_an_os_error() -> None:
    with Sandbox() as sandbox:
        port = int(sandbox.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            serve("127.0.0.1", port, announce=lambda _: None)


def test_a_wrong_setting_is_refused_before_anything_starts() -> None:
    before = threading.active_count()
    with pytest.raises(ValueError, match="unknown setting 'tokens'"):
        Sandbox(tokens=1)
    assert threading.active_count() == before


def test_it_stops_at_once_with_calls_in_flight() -> None:
    with Sandbox() as sandbox:
        sandbox.faults([{"operation": "login", "kind": "delay", "params": {"seconds": 60}}])
        caller = threading.Thread(target=_login_until_cut, args=(sandbox.base_url,))
        caller.start()
        while not sandbox.journal():
            time.sleep(0.01)
        begun = time.monotonic()
    assert time.monotonic() - begun < 30, "the call in flight takes 60"
    caller.join(60)
    assert not caller.is_alive()


def _login_until_cut(url: str) -> None:
    with httpx.Client(trust_env=False, timeout=30) as client, pytest.raises(httpx.TransportError):
        client.post(f"{url}{PREFIX}/authentication/login", json={"identity": "operator", "password": "x"})


def test_two_sandboxes_do_not_share_anything() -> None:
    with Sandbox() as one, Sandbox(seed=2) as other:
        one.faults([{"kind": "unauthorized"}])
        assert one.base_url != other.base_url
        assert other.faults() == []


@pytest.mark.parametrize(
    ("host", "refused"), [("rebound.example", True), ("10.0.0.1:80", True), ("localhost:1", False)]
)
def test_only_the_names_of_this_machine_are_answered(host: str, refused: bool) -> None:
    """A page in a browser can make a name of its own lead to this machine."""
    with Sandbox() as sandbox:
        for path in ("/__sandbox/settings", f"{PREFIX}/none"):
            place = httpx.URL(sandbox.base_url).copy_with(path=path)
            assert (httpx.get(place, headers={"host": host}).status_code == 403) is refused, path


@pytest.mark.parametrize(
    ("host", "answered"), [("localhost", True), ("[::1]:80", True), ("evil.example", False), ("127.0.0.1.evil", False)]
)
def test_a_request_that_names_another_host_is_not_answered(host: str, answered: bool) -> None:
    with Sandbox() as sandbox:
        reply = httpx.get(sandbox.base_url, headers={"Host": host})
    assert (reply.status_code != 403) is answered
