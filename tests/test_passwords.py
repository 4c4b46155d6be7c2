"""Generated passwords and the file that they are delivered in."""

from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.privacy.passwords import KINDS, LENGTH, PasswordFile, generated
from jobs.systems.row import Row


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
    given = PasswordFile.opened(path, None).for_row(row(1), "a,b")
    assert path.read_text() == f'row,external_unique_id,identity,password\n1,cust-000001,"a,b",{given}\n'
    assert path.stat().st_mode & 0o777 == 0o600
    again = PasswordFile.opened(path, None)
    assert (again.known(row(1), "a,b"), again.known(row(1), "another")) == (given, None)
    assert again.for_row(row(1), "a,b") == given
    assert path.read_text().count("\n") == 2


def test_a_rows_own_password_is_used_and_not_written(tmp_path: Path) -> None:
    file = PasswordFile.opened(tmp_path / "delivered.csv", None)
    assert file.for_row(row(1, password="its own"), "a") == "its own"
    assert (tmp_path / "delivered.csv").read_text().count("\n") == 1


def test_a_line_that_a_crash_left_half_written_is_no_password(tmp_path: Path) -> None:
    path = tmp_path / "delivered.csv"
    first = PasswordFile.opened(path, None).for_row(row(1), "a")
    with path.open("a") as file:
        file.write("2,cust-000002,b,abc")
    continued = PasswordFile.opened(path, None)
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
        PasswordFile.opened(path, None)
    assert path.read_text() == content


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path, tmp_path / "link", tmp_path / "absent" / "delivered.csv"):
        with pytest.raises(Unusable, match="can't be opened or made"):
            PasswordFile.opened(path, None)


def test_a_key_that_is_no_public_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n")
    for name in ("key.pem", "absent.pem"):
        with pytest.raises(Unusable, match=name):
            PasswordFile.opened(tmp_path / "delivered.csv", tmp_path / name)
    assert not (tmp_path / "delivered.csv").exists()
