"""Generated passwords and the file that they are delivered in."""

import base64
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from jobs.errors import Unusable
from jobs.privacy.passwords import KINDS, LENGTH, PasswordFile, generated
from jobs.systems.row import Row
from tests.house.test_docs import ROOT
from tests.keys import rsa_key

RUN = "run-1"


def row(number: int, **secrets: str) -> Row:
    return Row(number, None, f"cust-{number:06d}", {}, "", "", None, secrets)


def test_a_generated_password_has_every_kind_of_sign_and_none_that_looks_like_another() -> None:
    made = [generated() for _ in range(500)]
    assert len(set(made)) == 500
    assert {len(each) for each in made} == {LENGTH}
    assert all(set(each) & set(kind) for each in made for kind in KINDS)
    assert not set("".join(made)) & set("IlOo01\"',;=+-@ ")
    assert all(each[0].isalpha() for each in made)


def test_a_password_is_in_the_file_when_it_is_given_out_and_stays_the_same(tmp_path: Path) -> None:
    path = tmp_path / "delivered.csv"
    given = PasswordFile.opened(path, None, RUN).for_row(row(1), "a,b")
    assert path.read_text() == f'row,external_unique_id,identity,password\n1,cust-000001,"a,b",{given}\n'
    assert path.stat().st_mode & 0o777 == 0o600
    again = PasswordFile.opened(path, None, RUN)
    assert (again.known(row(1), "a,b"), again.known(row(1), "another")) == (given, None)
    assert again.for_row(row(1), "a,b") == given
    assert path.read_text().count("\n") == 2


def test_a_rows_own_password_is_used_and_not_written(tmp_path: Path) -> None:
    file = PasswordFile.opened(tmp_path / "delivered.csv", None, RUN)
    assert file.for_row(row(1, password="its own"), "a") == "its own"
    assert (tmp_path / "delivered.csv").read_text().count("\n") == 1


def test_a_line_that_a_crash_left_half_written_is_no_password(tmp_path: Path) -> None:
    path = tmp_path / "delivered.csv"
    first = PasswordFile.opened(path, None, RUN).for_row(row(1), "a")
    with path.open("a") as file:
        file.write("2,cust-000002,b,abc")
    continued = PasswordFile.opened(path, None, RUN)
    assert continued.known(row(2), "b") is None
    second = continued.for_row(row(2), "b")
    lines = [f"1,cust-000001,a,{first}", f"2,cust-000002,b,{second}"]
    assert path.read_text().splitlines()[1:] == lines


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("row,external_unique_id,identity,password\n", 0o640, "others may read"),
        ("row,external_unique_id,identity,password_encrypted\n", 0o600, "was begun with --encrypt-to"),
        ("first_name,last_name\nThandi,Nkosi\n", 0o600, "another kind of file"),
        ('"a quote that never ends\n', 0o600, "another kind of file"),
    ],
)
def test_a_file_that_is_not_for_this_is_refused_and_left_as_it_is(
    tmp_path: Path, content: str, mode: int, words: str
) -> None:
    path = tmp_path / "delivered.csv"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(Unusable, match=words):
        PasswordFile.opened(path, None, RUN)
    assert path.read_text() == content


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path, tmp_path / "link", tmp_path / "absent" / "delivered.csv"):
        with pytest.raises(Unusable, match="can't be opened or made"):
            PasswordFile.opened(path, None, RUN)


def test_a_key_that_is_no_public_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n")
    for name in ("key.pem", "absent.pem"):
        with pytest.raises(Unusable, match=name):
            PasswordFile.opened(tmp_path / "delivered.csv", tmp_path / name, RUN)
    assert not (tmp_path / "delivered.csv").exists()


@pytest.fixture
def public_key(tmp_path: Path) -> Path:
    """The helpdesk's public key; the private one lies beside it, as PRIVATE.pem."""
    key = rsa_key()
    form, pem = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    (tmp_path / "PRIVATE.pem").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    path = tmp_path / "helpdesk.pem"
    path.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return path


def opened_by_hand(folder: Path, login: str) -> subprocess.CompletedProcess[str]:
    """What docs/registration.md tells the helpdesk to type, for the login's line of delivered.csv."""
    page = (ROOT / "docs" / "registration.md").read_text(encoding="utf-8")
    typed = re.findall(r"^```sh\n(line=.*?)^```$", page, re.MULTILINE | re.DOTALL)[0].replace(",thandi.1,", login)
    return subprocess.run(["sh", "-c", typed], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_an_encrypted_password_opens_in_its_own_line_alone_as_the_page_says(tmp_path: Path, public_key: Path) -> None:
    path = tmp_path / "delivered.csv"
    file = PasswordFile.opened(path, public_key, RUN)
    hers, his = file.for_row(row(1), "thandi.1"), file.for_row(row(2), 'sipho "2"')
    assert (opened_by_hand(tmp_path, ",thandi.1,").stdout, opened_by_hand(tmp_path, "sipho").stdout) == (hers, his)

    header, first, second = path.read_text().splitlines()
    assert (header, first.startswith("run-1,1,cust-000001,thandi.1,")) == (
        "run,row,external_unique_id,identity,password_encrypted",
        True,
    )
    swapped = [first.rpartition(",")[0] + "," + second.rpartition(",")[2], first.replace(RUN, "run-2")]
    for line in swapped:
        path.write_text(f"{header}\n{line}\n")
        ended = opened_by_hand(tmp_path, ",thandi.1,")
        assert (ended.stdout, ended.returncode != 0) == ("", True)


def test_an_encrypted_file_of_an_older_muster_goes_on_in_its_form_with_lines_that_are_bound(
    tmp_path: Path, public_key: Path
) -> None:
    path, old = tmp_path / "delivered.csv", "row,external_unique_id,identity,password_encrypted\n1,cust-000001,a,AAAA\n"
    path.write_text(old)
    path.chmod(0o600)
    given = PasswordFile.opened(path, public_key, RUN).for_row(row(2), "b")

    named, _, told = path.read_text().removeprefix(old).strip().rpartition(",")
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), named.encode())
    assert (named, rsa_key().decrypt(base64.b64decode(told), scheme).decode()) == ("2,cust-000002,b", given)
