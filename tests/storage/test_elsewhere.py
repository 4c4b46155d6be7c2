"""Other clouds, and files at https addresses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.storage.address import Address
from jobs.storage.other_clouds import OtherCloud
from tests.flow.muster import Muster
from tests.flow.people import Row, person, written

from .faulty import Fault, Faulty
from .test_run import keys

ROWS = [person(1), person(2, "Kycstuck")]

Filed = Callable[[list[Row]], Path]


@pytest.fixture
def link(faulty: Faulty, bucket: str, s3: Any, tmp_path: Path) -> str:
    """An address of a file that anybody may read."""
    s3.upload_file(str(written(tmp_path / "rows.csv", ROWS)), bucket, "in/customers.csv")
    return f"{faulty.url}/{bucket}/in/customers.csv"


@pytest.mark.slow
def test_a_run_in_another_cloud_reads_and_leaves_its_folder_there(
    muster: Muster, link: str, bucket: str, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its library speaks to the same server here: what it is asked for is the same whatever cloud it is."""
    from obstore import store

    as_s3 = store.from_url
    monkeypatch.setattr(store, "from_url", lambda url, **rest: as_s3(url.replace("gs://", "s3://"), **rest))
    ended = muster("run", f"gs://{bucket}/in/customers.csv", "--out", f"gs://{bucket}/out", "--decision-wait", "0")
    assert ended.code == 5, ended.stderr
    assert "out/run-1/manifest.json" in keys(s3, bucket)
    assert muster("verify", "run-1").code == 0
    assert muster("reconcile", "run-1").code == 0
    purged = muster("purge", "--older-than", "0")
    assert f"gs://{bucket}/out/run-1: earlier versions are not seen" in purged.stderr, purged
    (certificate,) = muster.folder.glob("erasure-*.json")
    assert f"earlier versions below gs://{bucket}/out/run-1" in certificate.read_text()
    assert muster("verify", "run-1").code == 0
    assert OtherCloud(Address("gs", bucket, "out/run-1")).unlocked("manifest.json", None)  # type: ignore[arg-type]


def test_a_file_behind_a_link_is_read_and_its_secret_is_nowhere(
    muster: Muster, link: str, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = muster("run", f"{link}?X-Amz-Signature=geheim")
    assert (refused.code, "MUSTER_INPUT_QUERY" in refused.stderr, "geheim" in refused.stderr) == (2, True, False)
    monkeypatch.setenv("MUSTER_INPUT_QUERY", "X-Amz-Signature=geheim")
    ended = muster("run", link, "--decision-wait", "0")
    assert ended.code == 5, ended.stderr
    assert any("X-Amz-Signature=geheim" in line for line in faulty.lines)
    told = [path for path in muster.folder.rglob("*") if path.is_file() and b"geheim" in path.read_bytes()]
    assert told == []
    assert muster("resume", "run-2", "--decision-wait", "0").code == 5
    faulty.faults = [Fault("GET", "customers.csv", 403, always=True)]
    expired = muster("resume", "run-2")
    assert (expired.code, "HTTP 403" in expired.stderr, "geheim" in expired.stderr) == (4, True, False)
    faulty.faults = [Fault("GET", "customers.csv", 302)]
    assert muster("resume", "run-2").code == 2
    monkeypatch.setattr("jobs.storage.web.ATTEMPTS", 1)
    faulty.faults = [Fault("GET", "customers.csv", "lost")]
    assert muster("resume", "run-2").code == 75
