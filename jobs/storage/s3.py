"""Amazon S3 and what speaks like it, through boto3: whose chain of credentials, regions and endpoints it is."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from jobs.errors import Unusable
from jobs.storage.address import Address
from jobs.storage.bucket import (
    ATTEMPTS,
    CONNECT_SECONDS,
    SECONDS,
    Absent,
    Locked,
    Seen,
    library,
    refused,
)
from jobs.storage.retention import Retention
from jobs.storage.threads import each_of
from jobs.storage.written import written

PART = 256 << 20
"""Bytes of a part (chosen: 10,000 parts, which is the most, are 2.5 TB)."""

ONE_PUT = 4 << 30
"""Larger objects are sent in parts: one request takes 5 GB at most (Amazon S3, PutObject)."""

SLACK = timedelta(hours=1)
"""By how much a retention may end sooner than asked for: the clock that made it is another one (chosen)."""


@cache
def client() -> Any:
    """The one client of this process, with its connections and credentials. Raises what boto3 does."""
    import boto3
    from botocore.config import Config

    retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
    chosen = Config(retries=retries, connect_timeout=CONNECT_SECONDS, read_timeout=SECONDS)
    return boto3.session.Session().client("s3", config=chosen)


class S3:
    """As `Bucket`."""

    def __init__(self, address: Address) -> None:
        with library("boto3"):
            import boto3  # noqa: F401 - whether it is there
        self.address = address
        with self._asking(str(address)):
            self._client = client()

    def seen(self) -> Mapping[str, Seen]:
        """As `Bucket.seen`."""
        with self._asking(str(self.address)):
            pages = self._client.get_paginator("list_objects_v2").paginate(**self._below)
            found = [each for page in pages for each in page.get("Contents", ())]
        return {self._name(each["Key"]): Seen(each["Size"], each["ETag"]) for each in found}

    def get(self, name: str, to: Path) -> Seen:
        """As `Bucket.get`."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        with self._asking(f"{self.address / name}" if name else str(self.address)):
            for attempt in range(1, ATTEMPTS + 1):  # the library repeats a request, and not what breaks off later
                answer = self._client.get_object(**self._object(name))
                try:
                    with closing(answer["Body"]) as body:
                        written(to, body.iter_chunks(1 << 20))
                    break
                except (HTTPClientError, IncompleteReadError):
                    if attempt == ATTEMPTS:
                        raise
        return Seen(answer["ContentLength"], answer["ETag"], answer.get("VersionId"))

    def put(self, name: str, content: Path, *, instead_of: str | None = None, retention: Retention | None) -> str:
        """As `Bucket.put`."""
        given = self._object(name) | ({} if retention is None else _locking(retention, content))
        only = {"IfNoneMatch": "*"} if instead_of is None else {"IfMatch": instead_of}
        with self._asking(str(self.address / name)), content.open("rb") as file:
            if content.stat().st_size <= ONE_PUT:
                return str(self._client.put_object(**given, **only, Body=file)["ETag"])
            return self._in_parts(given, only, file)

    def remove(self, name: str) -> None:
        """As `Bucket.remove`."""
        with self._asking(str(self.address / name)):
            self._client.delete_object(**self._object(name))

    def refuse_unlockable(self) -> None:
        """As `Bucket.refuse_unlockable`."""
        try:
            with self._asking(f"object lock of {self.address.place}"):
                self._client.get_object_lock_configuration(Bucket=self.address.place)
        except Absent as error:
            if "NoSuchBucket" in error.message:
                raise
            raise Unusable(
                f"object_lock is set, and the bucket {self.address.place} has no object lock",
                hint="make a bucket with object lock, or leave object_lock out",
            ) from None

    def unlocked(self, name: str, retention: Retention) -> str | None:
        """As `Bucket.unlocked`."""
        with self._asking(str(self.address / name)):
            seen = self._client.head_object(**self._object(name))
        mode, until = seen.get("ObjectLockMode"), seen.get("ObjectLockRetainUntilDate")
        if mode is None or until is None:
            return "it is not locked"
        if mode.lower() != retention.mode:
            return f"its lock is of mode {mode.lower()}"
        if until + SLACK < retention.until(seen["LastModified"]):
            return f"it is locked until {until:%Y-%m-%d} only"
        return None

    def locked(self, now: datetime) -> list[Locked]:
        """As `Bucket.locked`."""
        try:
            self.refuse_unlockable()
        except Unusable:
            return []
        contents = [each for each in self._versions() if "ETag" in each]  # marks that hide an object can't be locked
        return [each for each in each_of(lambda version: self._lock(version, now), contents) if each is not None]

    def remove_old(self, spared: re.Pattern[str]) -> bool:
        """As `Bucket.remove_old`."""
        versions = self._versions()
        shown = {each["Key"] for each in versions if "ETag" in each and each["IsLatest"]}
        gone = (each for each in versions if each["Key"] not in shown or not each["IsLatest"])
        each_of(self._remove_version, [each for each in gone if not spared.fullmatch(self._name(each["Key"]))])
        return True

    def _remove_version(self, version: Mapping[str, Any]) -> None:
        with self._asking(f"an earlier version of {self._called(version)}"):
            self._client.delete_object(Bucket=self.address.place, Key=version["Key"], VersionId=version["VersionId"])

    def _lock(self, version: Mapping[str, Any], now: datetime) -> Locked | None:
        """Why the version can't be removed at `now`; None: it can."""
        with self._asking(self._called(version)):
            seen = self._client.head_object(
                Bucket=self.address.place, Key=version["Key"], VersionId=version["VersionId"]
            )
        name, until = self._name(version["Key"]), seen.get("ObjectLockRetainUntilDate")
        if seen.get("ObjectLockLegalHoldStatus") == "ON":
            return Locked(name, "legal hold", None)
        return Locked(name, str(seen["ObjectLockMode"]).lower(), until) if until is not None and until > now else None

    def _called(self, version: Mapping[str, Any]) -> str:
        return f"s3://{self.address.place}/{version['Key']}"

    def _versions(self) -> list[dict[str, Any]]:
        """All versions, and the marks of what was removed (they have no etag)."""
        with self._asking(f"versions of {self.address}"):
            pages = list(self._client.get_paginator("list_object_versions").paginate(**self._below))
        return [each for page in pages for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, ())]

    def _in_parts(self, given: Mapping[str, Any], only: Mapping[str, str], file: BinaryIO) -> str:
        """A large object. What is broken off is taken back where that can be; it never becomes an object."""
        place = {name: given[name] for name in ("Bucket", "Key")}
        upload = place | {"UploadId": self._client.create_multipart_upload(**given)["UploadId"]}
        try:
            parts: list[dict[str, object]] = []
            while content := file.read(PART):
                number = len(parts) + 1
                made = self._client.upload_part(**upload, PartNumber=number, Body=content)
                checked = {
                    each: made[each] for each in made if each.startswith("Checksum")
                }  # S3 asks for them at the end
                parts.append({"PartNumber": number, "ETag": made["ETag"], **checked})
            done = self._client.complete_multipart_upload(**upload, **only, MultipartUpload={"Parts": parts})
        except BaseException:
            self._client.abort_multipart_upload(**upload)
            raise
        return str(done["ETag"])

    @property
    def _below(self) -> dict[str, str]:
        prefix = {"Prefix": f"{self.address.key}/"} if self.address.key else {}
        return {"Bucket": self.address.place} | prefix

    def _object(self, name: str) -> dict[str, Any]:
        return {"Bucket": self.address.place, "Key": (self.address / name).key if name else self.address.key}

    def _name(self, key: str) -> str:
        return key[len(self.address.key) + 1 :] if self.address.key else key

    @contextmanager
    def _asking(self, where: str) -> Iterator[None]:
        """A block of requests. Raises what `refused` says of the library's errors."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            told = error.response.get("Error", {}).get("Code", "unknown")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            raise refused(where, status, told) from None
        except BotoCoreError as error:
            status = 400 if type(error).__name__ in _OF_SETTINGS else None
            raise refused(where, status, type(error).__name__) from None


_OF_SETTINGS = frozenset({"NoRegionError", "ProfileNotFound", "ParamValidationError"})
"""Errors of boto3 that no waiting helps against."""


def _locking(retention: Retention, content: Path) -> dict[str, Any]:
    """The members of a request that lock an object: from now on, by the clock of the file system."""
    content.touch()
    now = datetime.fromtimestamp(content.stat().st_mtime, UTC)
    return {"ObjectLockMode": retention.mode.upper(), "ObjectLockRetainUntilDate": retention.until(now)}
