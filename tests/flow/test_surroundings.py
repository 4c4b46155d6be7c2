"""Between muster and its target: proxies that are named or ignored, roots of one's own, secrets as they are mounted."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forwarder import Forwarder
from gateway import Gateway, issued

from jobs.sandbox.server import Sandbox

from .muster import REPOSITORY, Muster, arrivals
from .people import Row, people

Filed = Callable[[list[Row]], Path]

UNREACHED = {4, 75}
"""How a run ends that came to no login."""


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def proxy() -> Iterator[Forwarder]:
    with Forwarder("hunter2") as forwarder:
        yield forwarder


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    issued(folder, "bank", issued(folder, "root"))
    return folder


@pytest.fixture
def gateway(papers: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """TLS before the sandbox; it is what muster is given as the target."""
    with Gateway(papers, sandbox.base_url, mutual=False) as gateway:
        monkeypatch.setenv("MUSTER_BASE_URL", gateway.base_url)
        yield gateway


@pytest.mark.slow
@pytest.mark.usefixtures("hasty")
def test_a_target_with_a_private_root_is_verified_with_it_alone(
    muster: Muster, gateway: Gateway, papers: Path, file_of: Filed
) -> None:
    path = file_of(people(1))

    assert muster("run", path).code in UNREACHED
    assert gateway.calls == 0
    assert muster("run", path, "--ca-file", papers / "root.pem").code == 0


@pytest.mark.parametrize("name", ["absent.pem", "bank.key"])
def test_roots_that_are_none_end_with_2(
    muster: Muster, gateway: Gateway, papers: Path, file_of: Filed, name: str
) -> None:
    ended = muster("run", file_of(people(1)), "--ca-file", papers / name)

    assert (ended.code, "can't be used" in ended.stderr, gateway.calls) == (2, True, 0)
    assert not ended.folder.exists()


def test_a_run_goes_through_the_proxy_and_shows_it_nothing(
    muster: Muster,
    gateway: Gateway,
    proxy: Forwarder,
    papers: Path,
    file_of: Filed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MUSTER_PROXY", proxy.url.replace("//", "//user:hunter2@"))
    monkeypatch.setenv("MUSTER_CA_FILE", str(papers / "root.pem"))

    ended = muster("run", file_of(people(1)))

    assert ended.code == 0, ended.stderr
    assert {line.split(" ")[0] for line in proxy.asked} == {"CONNECT"}
    assert b"Bearer" not in proxy.carried
    for each in (ended, muster("config"), muster("doctor"), muster("plan", "customers.csv")):
        assert "hunter2" not in each.stdout + each.stderr
    left = [path for path in muster.folder.rglob("*") if path.is_file()]
    assert [path for path in left if b"hunter2" in path.read_bytes()] == []
    assert proxy.url in (ended.folder / "manifest.json").read_text()


@pytest.mark.slow
def test_a_run_that_is_gone_on_with_takes_the_proxy_and_the_roots_again(
    muster: Muster, gateway: Gateway, papers: Path, file_of: Filed
) -> None:
    with Forwarder() as proxy:
        ended = muster("run", file_of(people(1)), "--proxy", proxy.url, "--ca-file", papers / "root.pem")
        before = len(proxy.asked)

        assert muster("resume", ended.folder.name).code == 0
        assert len(proxy.asked) > before


@pytest.mark.usefixtures("hasty")
def test_a_proxy_that_refuses_us_leaves_nothing_in_doubt(
    muster: Muster,
    sandbox: Sandbox,
    gateway: Gateway,
    proxy: Forwarder,
    papers: Path,
    file_of: Filed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MUSTER_PROXY", proxy.url.replace("//", "//user:wrong-hunter@"))

    ended = muster("run", file_of(people(1)), "--ca-file", papers / "root.pem")

    assert ended.code in UNREACHED
    assert "the proxy made no connection (407)" in ended.stderr
    assert "wrong-hunter" not in ended.stderr
    assert arrivals(sandbox) == 0


def test_a_sandbox_is_reached_through_a_proxy_of_this_machine(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    with Forwarder() as proxy:
        assert muster("run", file_of(people(1)), "--proxy", proxy.url).code == 0
        assert any(line.startswith(f"POST {sandbox.base_url}/") for line in proxy.asked)


def test_plain_http_goes_through_no_proxy_elsewhere(muster: Muster, sandbox: Sandbox, file_of: Filed) -> None:
    ended = muster("run", file_of(people(1)), "--proxy", "http://proxy.example:3128")

    assert (ended.code, "plain http" in ended.stderr, arrivals(sandbox)) == (2, True, 0)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_not_used_and_that_is_said_once(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with Forwarder() as proxy:
        monkeypatch.setenv(name, proxy.url.replace("//", "//user:hunter2@"))
        ended = muster("plan", file_of(people(1)))
        assert proxy.asked == []

    assert ended.code == 0
    assert ended.stderr.count(f"{name} is set, and not used") == 1
    assert "hunter2" not in ended.stdout + ended.stderr


@pytest.mark.slow
def test_nothing_is_said_of_a_proxy_where_none_would_be_used(
    muster: Muster, sandbox: Sandbox, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    path = file_of(people(1))
    with Forwarder() as proxy:
        silent = [muster("validate", path), muster("run", path, "-q"), muster("plan", path, "--proxy", proxy.url)]
    for excepted in ("localhost, 127.0.0.1", "*", ".0.0.1"):
        monkeypatch.setenv("NO_PROXY", excepted)
        silent.append(muster("plan", path))

    assert [ended.stderr for ended in silent if "PROXY" in ended.stderr] == []


def test_doctor_notes_a_proxy_that_is_not_used(muster: Muster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@proxy.example:3128")

    ended = muster("doctor", "--offline")

    assert "note  proxy" in ended.stdout
    assert "hunter2" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("where", ["flag", "file"])
def test_a_password_of_the_proxy_has_its_place_in_the_environment(muster: Muster, file_of: Filed, where: str) -> None:
    url, path = "http://user:hunter2@127.0.0.1:1", file_of(people(1))
    if where == "file":
        (muster.folder / "muster.toml").write_text(f'proxy = "{url}"\n')

    ended = muster("run", path, *(("--proxy", url) if where == "flag" else ()))

    assert (ended.code, "MUSTER_PROXY" in ended.stderr, "hunter2" in ended.stderr) == (2, True, False)


@pytest.mark.parametrize(
    "url",
    [
        "socks5://127.0.0.1:1",
        "127.0.0.1:3128",
        "http://",
        "http://user:hunter2@",
        "http://h:0",
        "http://h:x",
        "http://h/hunter2",
        "http://h?hunter2",
        "http://a b",
    ],
)
def test_what_is_no_proxy_is_refused_without_being_repeated(muster: Muster, file_of: Filed, url: str) -> None:
    ended = muster("run", file_of(people(1)), "--proxy", url)

    assert (ended.code, "--proxy" in ended.stderr, "hunter2" in ended.stderr) == (2, True, False)


MOUNTING = """
set -e
mkdir -p secrets
mount -t tmpfs none secrets
chmod 1777 secrets
mkdir secrets/..data
printf 'operator-password\\n' > secrets/..data/password
chmod 0755 secrets/..data
chmod "$MODE" secrets/..data/password
ln -s ..data/password secrets/password
[ "$READ_ONLY" = yes ] && mount -o remount,ro secrets
shift
exec "$@"
"""
"""A secret as an orchestrator hands it to a container: in memory, by root, behind a link, in a folder of mode 1777."""


def may_mount() -> bool:
    return shutil.which("unshare") is not None and not subprocess.run(["unshare", "-m", "true"], check=False).returncode


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="mounting takes root")
@pytest.mark.parametrize(
    ("mode", "read_only", "taken"),
    [("0440", "yes", True), ("0444", "yes", True), ("0644", "yes", False), ("0444", "no", False)],
)
def test_a_secret_that_an_orchestrator_mounted_is_taken(
    muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch, mode: str, read_only: str, taken: bool
) -> None:
    file_of(people(1))
    monkeypatch.delenv("MUSTER_PASSWORD")
    own = {"MODE": mode, "READ_ONLY": read_only, "MUSTER_PASSWORD_FILE": "secrets/password"}
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", MOUNTING, "sh", "-", sys.executable, "-m", "jobs", "run", "customers.csv"],
        cwd=muster.folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **own},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == (0 if taken else 2), ended.stderr
    assert taken or "others may read secrets/password" in ended.stderr
