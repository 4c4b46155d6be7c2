"""The evidence pack: what both checkers find, alone and over the nights of one batch."""

import json
import os
import random
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.evidence.verify import verify_folder
from tests.examples import some

from .muster import Ended, Muster
from .people import Row, person

Filed = Callable[[list[Row]], Path]

MIXED = [person(1), person(2, "Kycfail"), person(3, "Nowallet"), person(4, phone="1"), person(5, branch="Durban")]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the nights lie, made once: no test here needs the target afterwards."""
    return tmp_path_factory.mktemp("nights")


@pytest.fixture
def nights(muster: Muster, file_of: Filed, kept: Path) -> list[Ended]:
    """Three runs over one file, and a later comparison in the last one's folder."""
    if not (kept / "all").exists():
        path = file_of(MIXED)
        for _ in range(3):
            muster("run", path)
        muster("reconcile", "run-3")
        shutil.copytree(muster.folder, kept / "all")
    shutil.copytree(kept / "all", muster.folder, dirs_exist_ok=True)
    return [Ended(1, "", "", muster.folder / "runs" / f"run-{number}") for number in (1, 2, 3)]


def packed(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The checker that lies in the folder, by a Python that has nothing of muster."""
    command = [sys.executable, "-I", "-S", "verify.py", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin"})


def changed(folder: Path, chance: random.Random) -> str:
    """One edit somewhere in the folder: a byte, a line, two lines, a file; says which."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = chance.choice(files)
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    kind = chance.choice(["flip", "cut", "insert", "append", "line gone", "lines swapped", "file gone", "file added"])
    lines = bytes(content).splitlines(keepends=True)
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if kind == "file gone":
        path.unlink()
        return f"{path.name}: gone"
    if kind == "file added":
        (path.parent / f"new-{place}").write_bytes(b"")
        return f"new-{place}"
    if kind == "flip" or (kind == "lines swapped" and lines[one] == lines[other]):
        content[place] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del content[place]
    elif kind in {"insert", "append"}:
        content.insert(place if kind == "insert" else len(content), chance.randrange(256))
    elif kind == "line gone":
        content = bytearray(b"".join(lines[:one] + lines[one + 1 :]))
    else:
        lines[one], lines[other] = lines[other], lines[one]
        content = bytearray(b"".join(lines))
    path.write_bytes(content)
    return f"{path.name}: {kind} at {place}"


def sealed_anew(folder: Path) -> None:
    """SHA256SUMS as someone writes it who hopes that nobody notices."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    made = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, check=True)
    (folder / "SHA256SUMS").write_bytes(made.stdout)


@pytest.fixture
def restored(nights: list[Ended], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Path]]:
    """Gives a fresh copy of the last night's folder each time."""
    place = tmp_path_factory.mktemp("auditor")

    def copy() -> Path:
        shutil.rmtree(place / "run", ignore_errors=True)
        return Path(shutil.copytree(nights[-1].folder, place / "run"))

    return copy


@pytest.mark.slow
def test_a_hundred_random_edits_are_all_found_by_both_checkers(
    restored: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sys.path.insert(0, str(restored()))
    import verify

    sys.path.pop(0)
    assert verify_folder(restored()) == verify.run_problems(restored()) == []

    @settings(max_examples=some(40), deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.integers(0, 2**32))
    def edits(seed: int) -> None:
        folder = restored()
        what = changed(folder, random.Random(seed))
        assert verify_folder(folder), what
        assert verify.run_problems(folder), what

    edits()


def test_one_flipped_byte_in_each_file_is_named_by_both(restored: Callable[[], Path], muster: Muster) -> None:
    for name in sorted(str(path.relative_to(folder)) for folder in [restored()] for path in folder.rglob("*.*")):
        folder = restored()
        path = folder / name
        if path.is_dir():
            continue
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        own = muster("verify", folder)
        assert (own.code, Path(name).name in own.stdout) == (7, True), own.stdout
        if name != "verify.py":
            assert packed(folder).returncode == 7, name


def test_the_pack_verifies_elsewhere_with_plain_python_and_sha256sum(restored: Callable[[], Path]) -> None:
    folder = restored()
    assert packed(folder).stdout.splitlines()[0] == f"{folder}: verified"
    assert "nothing outside of the folder" in packed(folder).stdout
    sums = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert sums.returncode == 0
    assert packed(folder, "--seal", "0" * 64).returncode == 7
    later = next(folder.glob("reconcile-*"))
    again = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=later, capture_output=True, check=False)
    assert again.returncode == 0


def test_a_night_that_was_taken_away_or_swapped_shows(muster: Muster, nights: list[Ended]) -> None:
    assert muster("verify", "run-2", "--batch").code == 0
    assert packed(nights[2].folder, "--batch").returncode == 0
    shutil.move(nights[1].folder, muster.folder / "elsewhere")
    ours, theirs = muster("verify", "run-1", "--batch"), packed(nights[2].folder, "--batch")
    assert (ours.code, theirs.returncode) == (7, 7)
    assert "run-2" in ours.stdout
    assert "run-2" in theirs.stdout
    shutil.copytree(nights[0].folder, nights[1].folder)
    assert muster("verify", "run-1", "--batch").code == packed(nights[2].folder, "--batch").returncode == 7


def test_the_last_night_taken_away_is_missed_by_the_ledger(muster: Muster, nights: list[Ended]) -> None:
    shutil.rmtree(nights[2].folder)
    assert muster("verify", "run-1", "--batch").code == 7
    assert muster("verify", "run-1").code == 0


def test_evidence_that_was_sealed_anew_is_unlike_ledger_and_chain(muster: Muster, nights: list[Ended]) -> None:
    folder = nights[0].folder
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"os_user": "', b'"os_user": "x'))
    sealed_anew(folder)
    assert muster("verify", folder).code == 0
    assert "ledger" in muster("verify", "run-1").stdout
    assert muster("verify", "run-1", "--batch").code == packed(nights[2].folder, "--batch").returncode == 7


def test_a_report_made_anew_keeps_the_manifest_that_the_next_run_answers_for(
    muster: Muster, nights: list[Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.__version__", "9.9")
    monkeypatch.setattr("jobs.evidence.manifest.__version__", "9.9")
    before = (nights[0].folder / "manifest.json").read_bytes()
    muster("report", "run-1")
    assert (nights[0].folder / "manifest-1.json").read_bytes() == before
    assert muster("verify", "run-2", "--batch").code == packed(nights[2].folder, "--batch").returncode == 0


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key, and the public one that goes with it."""
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "sign.pem", tmp_path / "check.pem"
    private.touch(0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def test_a_signed_manifest_is_proven_by_the_key_alone(
    muster: Muster, file_of: Filed, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_SIGNING_KEY_FILE", str(keys[0]))
    ended = muster("run", file_of(MIXED[:1]))
    assert muster("verify", "run-1", "--public-key", keys[1]).code == 0
    assert "signature was not checked" in packed(ended.folder).stdout
    signature = ended.folder / "manifest.json.sig"
    signature.write_bytes(os.urandom(64))
    sealed_anew(ended.folder)
    assert muster("verify", ended.folder).code == 7  # the manifest names the key, and it did not make that
    assert muster("verify", ended.folder, "--public-key", keys[1]).code == 7
    signature.unlink()
    sealed_anew(ended.folder)
    assert "was signed" in muster("verify", ended.folder).stdout
    assert "was signed" in packed(ended.folder).stdout


def test_a_key_that_can_not_sign_ends_with_2_before_anything_is_sent(
    muster: Muster, file_of: Filed, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys[0].write_text("no key")
    monkeypatch.setenv("MUSTER_SIGNING_KEY_FILE", str(keys[0]))
    assert muster("run", file_of(MIXED[:1])).code == 2
    assert muster.sandbox.journal() == []


def test_the_packed_checker_is_short_and_reads_as_python_39(nights: list[Ended]) -> None:
    import ast

    text = (nights[0].folder / "verify.py").read_text()
    tree = ast.parse(text, feature_version=(3, 9))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert modules <= {"base64", "csv", "hashlib", "json", "re", "sys"}
    assert len(text.splitlines()) <= 420
    assert json.loads((nights[1].folder / "manifest.json").read_bytes())["previous_run"] == "run-1"


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_that_is_not_what_the_sender_says_ends_with_2_and_no_call(
    muster: Muster, file_of: Filed, command: str
) -> None:
    path = file_of(MIXED)
    record = muster.folder / "sent.json"
    record.write_text(json.dumps({"rows": len(MIXED) + 1}))
    ended = muster(command, path, "--control", record)
    assert ended.code == 2
    assert "expected 6, seen 5" in ended.stderr
    assert muster.sandbox.journal() == []
    assert not ended.folder.exists()


def test_the_manifest_names_the_senders_record(muster: Muster, file_of: Filed) -> None:
    path = file_of(MIXED[:1])
    path.with_name("customers.csv.control.json").write_text(json.dumps({"rows": 1}))
    ended = muster("run", path)
    assert json.loads((ended.folder / "manifest.json").read_bytes())["control_record"]["compared"] == ["rows"]


def test_a_key_made_by_init_signs_and_its_public_half_verifies(
    muster: Muster, file_of: Filed, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert muster("init", "--signing-key", "sign.pem").code == 2  # beside what it signs
    path = tmp_path_factory.mktemp("keys") / "sign.pem"
    assert "runs are not signed" in muster("doctor", "--offline").stdout
    assert muster("init", "--signing-key", path).code == 0
    assert muster("init", "--signing-key", path).code == 2
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("MUSTER_SIGNING_KEY_FILE", str(path))
    assert "runs are signed" in muster("doctor", "--offline").stdout
    muster("run", file_of(MIXED[:1]))
    assert muster("verify", "run-1", "--public-key", f"{path}.pub").code == 0


def test_a_program_signs_in_the_place_of_a_key(
    muster: Muster, file_of: Filed, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a KMS does; a program that signs with another key is found out before anything is sent."""
    script = (
        "import sys, base64; from cryptography.hazmat.primitives.serialization import load_pem_private_key as load;"
        f"key = load(open({str(keys[0])!r}, 'rb').read(), None);"
        "print(base64.b64encode(key.sign(sys.stdin.buffer.read())).decode())"
    )
    monkeypatch.setenv("MUSTER_SIGNING_COMMAND", shlex.join([sys.executable, "-c", script]))
    assert muster("run", file_of(MIXED[:1])).code == 2  # and where is its public key?
    monkeypatch.setenv("MUSTER_SIGNING_PUBLIC_KEY_FILE", str(keys[1]))
    muster("run", file_of(MIXED[:1]))
    assert muster("verify", "run-2", "--public-key", keys[1]).code == 0
    monkeypatch.setenv("MUSTER_SIGNING_COMMAND", "false")
    calls = len(muster.sandbox.journal())
    assert muster("run", file_of(MIXED[:1])).code == 2
    assert len(muster.sandbox.journal()) == calls
