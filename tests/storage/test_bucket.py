"""What a bucket does, whoever keeps it: both libraries against one server, over a socket."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import NotPermitted, Unreachable, Unusable
from jobs.storage.address import Address, address_of, is_address, named
from jobs.storage.bucket import Absent, Bucket, Taken
from jobs.storage.other_clouds import OtherCloud, _etag
from jobs.storage.s3 import S3, client

from .faulty import Fault, Faulty

LIBRARIES: list[Callable[[Address], Bucket]] = [S3, OtherCloud]


@pytest.fixture
def content(tmp_path: Path) -> Callable[[str], Path]:
    def made(text: str) -> Path:
        path = tmp_path / f"{len(text)}-{text[:9]}"
        path.write_text(text)
        return path

    return made


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_object_is_made_once_and_replaced_only_in_place_of_what_was_seen(
    bucket: str, library: Callable[[Address], Bucket], content: Callable[[str], Path], tmp_path: Path
) -> None:
    there = library(Address("s3", bucket, "a/b"))
    assert there.seen() == {}
    first = there.put("c/one", content("one"), retention=None)
    with pytest.raises(Taken):
        there.put("c/one", content("other"), retention=None)
    second = there.put("c/one", content("second"), instead_of=first, retention=None)
    with pytest.raises(Taken):
        there.put("c/one", content("third"), instead_of=first, retention=None)
    assert {name: (seen.size, seen.etag) for name, seen in there.seen().items()} == {"c/one": (6, second)}
    seen = there.get("c/one", tmp_path / "read")
    assert ((tmp_path / "read").read_text(), seen.etag) == ("second", second)
    assert (tmp_path / "read").stat().st_mode & 0o777 == 0o600
    there.remove("c/one")
    assert there.seen() == {}
    with pytest.raises(Absent, match="one"):
        there.get("c/one", tmp_path / "read")


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_bucket_refuses_is_told_by_its_kind(
    bucket: str, faulty: Faulty, library: Callable[[Address], Bucket], content: Callable[[str], Path]
) -> None:
    for status, kind in {403: NotPermitted, 503: Unreachable}.items():
        faulty.faults = [Fault("PUT", "/x", status, always=True)]
        with pytest.raises(kind, match="x"):
            library(Address("s3", bucket, "")).put("x", content("one"), retention=None)
    faulty.faults = []
    with pytest.raises(Absent):
        library(Address("s3", "nobody-has-this", "")).seen()


def test_a_large_object_goes_in_parts_and_is_there_whole_or_not_at_all(
    bucket: str, faulty: Faulty, content: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.storage.s3.ONE_PUT", 10)
    monkeypatch.setattr("jobs.storage.s3.PART", 5 << 20)
    there, large = S3(Address("s3", bucket, "p")), content("x" * ((5 << 20) + 1))
    faulty.faults = [Fault("PUT", "partNumber=2", 503)]
    with pytest.raises(Unreachable):
        there.put("large", large, retention=None)
    assert there.seen() == {}
    there.put("large", large, retention=None)
    assert there.seen()["large"].size == (5 << 20) + 1
    with pytest.raises(Taken):
        there.put("large", large, retention=None)


def test_an_etag_is_the_same_with_quotation_marks_and_without() -> None:
    """Azure lists it without them (seen at its emulator), and gives it with them at every other request."""
    assert _etag({"e_tag": '"0x1"'}) == _etag({"e_tag": "0x1"})


def test_without_credentials_nothing_is_asked(
    bucket: str, faulty: Faulty, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    client.cache_clear()
    with pytest.raises(NotPermitted, match="NoCredentialsError"):
        S3(Address("s3", bucket, "")).seen()


def test_an_address_is_the_same_with_one_slash_and_with_two() -> None:
    assert named(Path("s3://b/a/k.csv")) == named("s3:/b/a/k.csv") == "s3://b/a/k.csv"
    assert address_of("az://c/p/") == Address("az", "c", "p")
    assert not is_address("s3.csv")
    assert not is_address(Path("runs/s3:/b/k"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://host/a.csv?sig=geheim", "MUSTER_INPUT_QUERY"),
        ("https://user:geheim@host/a.csv", "leave it out"),
        ("http://host/a.csv", "https"),
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(text: str, words: str) -> None:
    with pytest.raises(Unusable) as found:
        address_of(Path(text))
    said = f"{found.value.message} {found.value.hint}"
    assert words in said
    assert "geheim" not in said
