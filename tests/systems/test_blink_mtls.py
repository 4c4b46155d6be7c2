"""Mutual TLS for real: a bank that demands a client certificate, and is verified with roots of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway import Gateway, issued

from jobs.sandbox.server import Sandbox
from tests.flow.muster import Muster
from tests.flow.people import written

from .blink import environment, row


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
    with Sandbox() as sandbox, Gateway(papers, sandbox.of("blink").base_url, mutual=True) as gateway:
        yield gateway


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


def test_roots_of_the_option_and_of_the_table_hold_beside_each_other(
    muster: Muster, gateway: Gateway, papers: Path
) -> None:
    ours = {"certificate": papers / "muster.pem", "certificate_key": papers / "muster.key"}
    for table, option in (({}, "root"), ({"ca_file": papers / "other-root.pem"}, "root")):
        settings(muster, **ours, **table)
        ended = muster("run", muster.folder / "customers.csv", "--ca-file", papers / f"{option}.pem")
        assert ended.code == 0, ended.stderr
    assert gateway.clients == {"muster"}


@pytest.mark.parametrize("ours", [None, "stranger"], ids=["no certificate", "a stranger's certificate"])
def test_without_the_right_certificate_nothing_is_answered(
    muster: Muster, gateway: Gateway, papers: Path, ours: str | None
) -> None:
    files = {} if ours is None else {"certificate": papers / f"{ours}.pem", "certificate_key": papers / f"{ours}.key"}
    settings(muster, ca_file=papers / "root.pem", **files)
    assert muster("run", muster.folder / "customers.csv", "--outage-wait", "0").code == 75
    assert gateway.clients == set()


def test_a_bank_that_the_roots_do_not_vouch_for_is_sent_nothing(muster: Muster, gateway: Gateway, papers: Path) -> None:
    ours = {"certificate": papers / "muster.pem", "certificate_key": papers / "muster.key"}
    for roots in ({}, {"ca_file": papers / "other-root.pem"}):
        settings(muster, **ours, **roots)
        ended = muster("run", muster.folder / "customers.csv", "--outage-wait", "0")
        assert ended.code == 75
        assert "no connection" in ended.stderr
    assert gateway.clients == set()


@pytest.mark.few(2)
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
