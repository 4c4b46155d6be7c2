"""Evidence that nobody can change for a while, persons who are forgotten all the same, and what can't be."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flow.muster import Muster
from tests.flow.people import Row, person

from .test_run import keys, text

ROWS = [person(1), person(2, phone="1")]

Filed = Callable[[list[Row]], Path]


def locks(s3: Any, bucket: str, prefix: str = "out/run-1/") -> dict[str, tuple[str, datetime]]:
    """Mode and end of each object that is locked."""
    found = {}
    for key in keys(s3, bucket, prefix):
        head = s3.head_object(Bucket=bucket, Key=key)
        if "ObjectLockMode" in head:
            found[key.removeprefix(prefix)] = (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"])
    return found


def settings(muster: Muster, text: str) -> None:
    path = muster.folder / "muster.toml"
    path.write_text(f"[evidence]\n{text}\n")
    path.chmod(0o600)


def versions(s3: Any, bucket: str) -> str:
    """All that any version of any object of the run still holds."""
    listed = s3.list_object_versions(Bucket=bucket, Prefix="out/run-1/").get("Versions", ())
    read = (
        s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read() for each in listed
    )
    return "\n".join(each.decode("latin-1") for each in read)


def test_evidence_that_names_nobody_is_locked_and_a_person_is_forgotten_all_the_same(
    muster: Muster, file_of: Filed, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(muster, 'object_lock = "compliance"\nobject_lock_days = 30')
    assert muster("run", file_of(ROWS), "--out", f"s3://{bucket}/out").code == 1
    held = locks(s3, bucket)
    assert {"manifest.json", "SHA256SUMS", "summary.json"} <= held.keys()
    assert not {"outcome.csv", "quarantine.csv", "events.ndjson", "report.html"} & held.keys()
    mode, until = held["manifest.json"]
    assert mode == "COMPLIANCE"
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30, minutes=1)
    quarantine = {"Bucket": bucket, "Key": "out/run-1/quarantine.csv"}
    s3.put_object_legal_hold(**quarantine, LegalHold={"Status": "ON"})
    refused = muster("purge", "--older-than", "0")
    words = "quarantine.csv: personal data that are locked (legal hold)"
    assert (refused.code, words in refused.stderr, refused.stdout) == (3, True, ""), refused.stderr
    assert ROWS[1]["email"] in text(s3, bucket, quarantine["Key"])
    s3.put_object_legal_hold(**quarantine, LegalHold={"Status": "OFF"})
    (muster.folder / "customers.csv").unlink()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ROWS[1]['row_ref']}\n"))
    done = muster("forget", "--subject", "-", "--by", "reference")
    assert done.code == 0, done.stderr
    assert ROWS[1]["email"] not in versions(s3, bucket)
    left = {each["Key"] for each in s3.list_object_versions(Bucket=bucket, Prefix="out/run-1/")["Versions"]}
    assert "out/run-1/report.html" not in left
    verified = muster("verify", "run-1")
    assert verified.code == 0, verified.stdout
    assert "out/run-1/manifest-1.json" in keys(s3, bucket)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("purge", "--older-than", "0"), ("forget", "--subject", "-", "--by", "reference")])
def test_what_is_locked_with_personal_data_is_not_erased_and_its_end_is_named(
    muster: Muster, file_of: Filed, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    settings(muster, 'object_lock = "governance"\nobject_lock_days = 30\nobject_lock_all = true')
    assert muster("run", file_of(ROWS), "--out", f"s3://{bucket}/out").code == 1
    assert "outcome.csv" in locks(s3, bucket)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ROWS[1]['row_ref']}\n"))
    done = muster(*command)
    until = (datetime.now(UTC) + timedelta(days=30)).date()
    assert (done.code, f"until {until}" in done.stderr, "nothing was erased" in done.stderr) == (3, True, True)
    assert done.stdout == ""
    assert ROWS[1]["email"] in text(s3, bucket, "out/run-1/quarantine.csv")
    assert muster("verify", "run-1").code == 0
    assert not list(muster.folder.glob("erasure-*"))


@pytest.mark.slow
def test_a_lock_that_is_not_as_asked_for_does_not_verify(muster: Muster, file_of: Filed, s3: Any, bucket: str) -> None:
    settings(muster, 'object_lock = "governance"\nobject_lock_days = 30')
    assert muster("run", file_of(ROWS), "--out", f"s3://{bucket}/out").code == 1
    sums = text(s3, bucket, "out/run-1/SHA256SUMS")
    s3.put_object(Bucket=bucket, Key="out/run-1/SHA256SUMS", Body=sums.encode())
    found = muster("verify", "run-1")
    assert (found.code, "SHA256SUMS: governance for 30 days" in found.stdout) == (7, True), found.stdout


@pytest.mark.slow
def test_personal_data_in_the_ledger_go_although_the_bucket_is_gone(muster: Muster, file_of: Filed, s3: Any) -> None:
    s3.create_bucket(Bucket="soon-gone")
    assert muster("run", file_of(ROWS), "--out", "s3://soon-gone/out").code == 1
    for key in keys(s3, "soon-gone"):
        s3.delete_object(Bucket="soon-gone", Key=key)
    s3.delete_bucket(Bucket="soon-gone")
    done = muster("purge", "--older-than", "0")
    assert (done.code, "the folder of run run-1 was not there" in done.stderr) == (0, True), done.stderr
    assert muster("verify", "run-1").code == 7


def test_a_bucket_without_locks_is_refused_before_anything_is_sent(muster: Muster, file_of: Filed, s3: Any) -> None:
    s3.create_bucket(Bucket="without-locks")
    settings(muster, 'object_lock = "governance"')
    for out in ("s3://without-locks/out", "gs://bucket/out", "runs"):
        refused = muster("run", file_of(ROWS), "--out", out)
        assert (refused.code, "object_lock" in refused.stderr) == (2, True), refused.stderr
    assert "object_lock is set" in muster("doctor", "--out", "s3://without-locks/out").stdout


@pytest.mark.slow
def test_checkpoints_are_handed_to_a_bucket_that_keeps_them(
    muster: Muster, file_of: Filed, s3: Any, bucket: str
) -> None:
    out = f"s3://{bucket}/out"
    settings(muster, f'witness = "s3://{bucket}/witness"\nobject_lock = "compliance"\nobject_lock_days = 30')
    path = file_of(ROWS)
    assert {muster("run", path, "--out", out).code, muster("run", path, "--out", out).code} == {1}
    told = keys(s3, bucket, "witness/muster-ledger/")
    assert [key.rpartition("/")[2] for key in told] == ["000000000001", "000000000002"]
    assert {mode for mode, _ in locks(s3, bucket, "witness/").values()} == {"COMPLIANCE"}
    assert muster("verify", "run-2").code == 0
    other = text(s3, bucket, told[1]).replace("\n2\n", "\n3\n")
    s3.put_object(Bucket=bucket, Key=f"{told[1][:-1]}3", Body=other.encode())
    found = muster("verify", "run-2")
    assert (found.code, "a checkpoint counts 3 entries" in found.stdout) == (7, True), found.stdout
