"""A file that was made for another system or job: the hint says how it is checked, and then how it is taken."""

from pathlib import Path

import pytest

from jobs.errors import Unusable
from jobs.intake.preflight import preflight

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.mark.parametrize(
    ("file", "system", "hint"),
    [
        (
            "portal-users_10",
            "eclipse",
            "eclipse:portal-users: muster validate --job portal-users, or muster admin-users create",
        ),
        (
            "portal-users_10",
            "eclipse:registration",
            "eclipse:portal-users: muster validate --job portal-users, or muster admin-users create",
        ),
        ("clean_20", "eclipse:portal-users", "eclipse: muster validate without --job, or muster run"),
        (
            "azakaw_10",
            "eclipse:portal-users",
            "azakaw: muster validate --system azakaw without --job, or muster run --system azakaw",
        ),
        ("azakaw_10", "eclipse", "azakaw: --system azakaw"),
        (
            "azakaw_10",
            "banklingo:decide/reject",
            "azakaw: muster validate --system azakaw without --job, or muster run --system azakaw",
        ),
    ],
)
def test_a_file_for_another_job_is_told_how_to_check_it(file: str, system: str, hint: str) -> None:
    with pytest.raises(Unusable, match="required columns are missing") as refused:
        preflight(SAMPLES / f"{file}.csv", system=system)

    assert refused.value.hint == f"the header is that of {hint}"


def test_a_file_for_nothing_is_told_where_the_columns_of_the_job_are_shown(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")

    with pytest.raises(Unusable) as refused:
        preflight(tmp_path / "in.csv", system="banklingo:decide/reject")

    assert refused.value.hint == "muster schema banklingo:decide shows the columns"
