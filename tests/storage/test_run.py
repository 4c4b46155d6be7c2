"""Runs whose input and folder lie in a bucket: over a socket, by the commands that people use."""

import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flow.muster import Ended, Muster, writes
from tests.flow.people import Row, person, written
from tests.systems import azakaw
from tests.systems.azakaw import World
from tests.systems.azakaw import world as world

from .faulty import Fault, Faulty

ROWS = [person(1), person(2, phone="1")]

Filed = Callable[[list[Row]], Path]


def keys(s3: Any, bucket: str, prefix: str = "") -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]


def text(s3: Any, bucket: str, key: str) -> str:
    return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


@pytest.fixture
def put(s3: Any, bucket: str, tmp_path: Path) -> Callable[[list[Row]], str]:
    def _put(rows: list[Row]) -> str:
        s3.upload_file(str(written(tmp_path / "rows.csv", rows)), bucket, "in/customers.csv")
        (tmp_path / "rows.csv").unlink()
        return f"s3://{bucket}/in/customers.csv"

    return _put


@pytest.fixture
def ended(muster: Muster, put: Callable[[list[Row]], str], bucket: str) -> Ended:
    return muster("run", put(ROWS), "--out", f"s3://{bucket}/out")


def test_a_run_reads_from_a_bucket_and_leaves_its_folder_there(
    muster: Muster, ended: Ended, s3: Any, bucket: str
) -> None:
    assert ended.code == 1, ended.stderr
    there = keys(s3, bucket, "out/run-1/")
    assert {"out/run-1/outcome.csv", "out/run-1/manifest.json", "out/run-1/quarantine.csv"} <= set(there)
    manifest = json.loads(text(s3, bucket, "out/run-1/manifest.json"))
    assert manifest["input"]["path"] == f"s3://{bucket}/in/customers.csv"
    assert set(manifest["input"]["object"]) == {"address", "size", "etag", "version"}
    assert not [path for path in muster.folder.rglob("*") if path.name in {"outcome.csv", "quarantine.csv", ".copies"}]
    assert "out/seals-muster.db/checkpoint" in keys(s3, bucket, "out/seals")
    verified = muster("verify", "run-1")
    assert (verified.code, verified.stdout) == (0, f"s3://{bucket}/out/run-1: verified\n")
    assert muster("runs").stdout.count("run-1") >= 1
    assert f"s3://{bucket}/out/run-1" in muster("status", "run-1", "--output", "json").stdout


def test_a_changed_missing_or_forbidden_input_ends_with_a_sentence(
    muster: Muster, put: Callable[[list[Row]], str], faulty: Faulty, bucket: str
) -> None:
    where = put([person(3, "Kycstuck")])
    assert muster("run", where, "--decision-wait", "0").code == 5
    put([person(4)])
    changed = muster("resume", "run-1")
    assert (changed.code, "was changed since that run" in changed.stderr) == (2, True), changed.stderr
    missing = muster("validate", f"s3://{bucket}/in/nothing.csv")
    assert (missing.code, f"s3://{bucket}/in/nothing.csv" in missing.stderr) == (2, True)
    faulty.faults = [Fault("GET", "customers.csv", 403)]
    forbidden = muster("validate", where)
    assert (forbidden.code, "AccessDenied" in forbidden.stderr) == (4, True)


@pytest.mark.slow
def test_the_senders_control_record_lies_beside_the_input(
    muster: Muster, put: Callable[[list[Row]], str], s3: Any, bucket: str
) -> None:
    where = put(ROWS)
    s3.put_object(Bucket=bucket, Key="in/customers.csv.control.json", Body=b'{"rows": 3}')
    wrong = muster("run", where)
    assert (wrong.code, "rows: expected 3, seen 2" in wrong.stderr) == (2, True)
    s3.put_object(Bucket=bucket, Key="in/customers.csv.control.json", Body=b'{"rows": 2}')
    assert muster("run", where).code == 1
    manifest = json.loads((muster.folder / "runs" / "run-2" / "manifest.json").read_bytes())
    assert manifest["control_record"]["path"] == f"{where}.control.json"


def test_a_bucket_that_refuses_ends_the_run_before_anything_is_sent(
    muster: Muster, file_of: Filed, faulty: Faulty, bucket: str
) -> None:
    path, out = file_of(ROWS), f"s3://{bucket}/out"
    for status, code in {403: 4, 503: 75}.items():
        faulty.faults = [Fault("PUT", "muster-probe-", status)]
        assert muster("run", path, "--out", out).code == code
    told = muster("doctor", "--out", out)
    assert f"s3://{bucket}/out can be written" in told.stdout, told.stdout
    assert writes(muster.sandbox) == []
    assert muster("run", path, "--out", "s3://nobody-has-this/out").code == 2


def test_a_bucket_that_dies_at_the_end_loses_nothing_and_the_next_command_delivers(
    muster: Muster, put: Callable[[list[Row]], str], faulty: Faulty, s3: Any, bucket: str
) -> None:
    faulty.faults = [Fault("PUT", "out/run-1/", 503, nth=4, always=True)]
    ended = muster("run", put(ROWS), "--out", f"s3://{bucket}/out", "--work", "elsewhere")
    assert (ended.code, "muster verify run-1" in ended.stderr) == (3, True), ended.stderr
    assert "out/run-1/manifest.json" not in keys(s3, bucket)
    (left,) = muster.folder.glob("elsewhere/.copies/*/run-1")
    assert (left / "manifest.json").exists()
    faulty.faults = []
    assert muster("verify", "run-1").code == 0
    assert "out/run-1/manifest.json" in keys(s3, bucket)
    assert not left.exists()


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_delivers_is_completed_by_the_next_one(
    muster: Muster, put: Callable[[list[Row]], str], faulty: Faulty, s3: Any, bucket: str
) -> None:
    started = muster.start("run", put(ROWS), "--out", f"s3://{bucket}/out", waiting=True)
    faulty.faults = [Fault("PUT", "out/run-1/", "kill", nth=3, pid=started.running.pid)]
    started.running.send_signal(signal.SIGCONT)
    assert muster.wait(started).code == -signal.SIGKILL
    there = keys(s3, bucket, "out/run-1/")
    assert (len(there) >= 3, "out/run-1/manifest.json" in there) == (True, False)
    assert muster("run", f"s3://{bucket}/in/customers.csv", "--out", f"s3://{bucket}/out").code == 1
    assert "out/run-1/manifest.json" in keys(s3, bucket, "out/run-1/")
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_later_reconciliations_and_reports_go_into_the_bucket_too(
    muster: Muster, ended: Ended, faulty: Faulty, s3: Any, bucket: str
) -> None:
    assert muster("reconcile", "run-1").code == 0
    assert [key for key in keys(s3, bucket, "out/run-1/reconcile-") if key.endswith("/manifest.json")]
    before = text(s3, bucket, "out/run-1/manifest.json")
    faulty.faults = [Fault("PUT", "out/run-1/", 503, nth=2)]
    broken = muster("report", "run-1", "--sample", "1")
    assert broken.code == 3, broken.stderr
    assert "out/run-1/manifest.json" not in keys(s3, bucket)
    (muster.folder / "runs").rename(muster.folder / "away")
    elsewhere = muster("verify", "run-1")
    assert (elsewhere.code, "a delivery was broken off" in elsewhere.stdout) == (7, True)
    shutil.rmtree(muster.folder / "runs")
    (muster.folder / "away").rename(muster.folder / "runs")
    assert muster("report", "run-1", "--sample", "1").code == 0
    assert text(s3, bucket, "out/run-1/manifest-1.json") == before
    assert any(key.startswith("out/run-1/sample-") for key in keys(s3, bucket))
    assert muster("mend", "run-1", "--to", muster.folder / "mended.csv").code == 0
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_what_was_changed_in_the_bucket_does_not_verify_and_is_not_written_over(
    muster: Muster, ended: Ended, s3: Any, bucket: str
) -> None:
    outcome = text(s3, bucket, "out/run-1/outcome.csv")
    s3.put_object(Bucket=bucket, Key="out/run-1/outcome.csv", Body=outcome.replace("onboarded", "declined").encode())
    found = muster("verify", "run-1")
    assert (found.code, "outcome.csv" in found.stdout) == (7, True), found.stdout
    assert muster("report", "run-1", "--sample", "1").code == 7
    assert "declined" in text(s3, bucket, "out/run-1/outcome.csv")
    assert muster("report", "run-1").code in {0, 1}
    assert muster("verify", "run-1").code == 0


@pytest.mark.slow
def test_an_auditor_verifies_by_the_address_alone(
    muster: Muster, ended: Ended, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert muster("verify", f"s3://{bucket}/out/run-1").code == 0


def test_without_the_library_the_command_that_brings_it_is_named(
    muster: Muster, file_of: Filed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    told = muster("run", file_of(ROWS), "--out", "s3://bucket/out")
    assert (told.code, "pip install 'muster-onboarding[cloud]'" in told.stderr) == (2, True), told.stderr
    monkeypatch.setitem(sys.modules, "obstore", None)
    told = muster("validate", "gs://bucket/customers.csv")
    assert (told.code, "obstore" in told.stderr) == (2, True), told.stderr


@pytest.mark.slow
def test_profiles_go_into_the_bucket_and_go_again(world: World, s3: Any, bucket: str) -> None:
    def profiles() -> list[str]:
        return [key for key in keys(s3, bucket) if "/profiles-" in key and key.endswith(".pdf")]

    world.run([azakaw.person(1), azakaw.company(2)], "--out", f"s3://{bucket}/out")
    (run,) = {key.split("/")[1] for key in keys(s3, bucket, "out/run")}
    world.muster.killed("individual_pdf", "after", 1, "download-profiles", run, "--concurrency", "1")
    assert profiles() == []
    told = world.muster("download-profiles", run)
    assert (told.code, f"s3://{bucket}/out/{run}/profiles-" in told.stdout) == (0, True), told
    assert len(profiles()) == 2
    assert world.muster("verify", run).code == 0
    assert world.muster("purge", "--older-than", "0").code == 0
    assert profiles() == []
    assert world.muster("verify", run).code == 0
