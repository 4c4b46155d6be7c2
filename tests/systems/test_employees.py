"""Who adds the customers at Azakaw: found out before anything else is set, and named by the preflight."""

import json

import pytest

from .azakaw import EMPLOYEE, World, configure, person
from .azakaw import world as world

STAFF = {EMPLOYEE: "Employee Name", "employee-2": "Lerato Molefe"}


def test_employees_are_listed_before_anything_of_the_system_is_set(world: World) -> None:
    configure(world.sandbox, employees=STAFF)
    (world.folder / "muster.toml").unlink()

    told = world.muster("employees")
    document = json.loads(world.muster("employees", "--output", "json").stdout)

    assert told.code == 0
    assert told.stdout.splitlines() == [f"{name}  {STAFF[name]}" for name in STAFF]
    assert document == {"schema_version": 1, "employees": [{"id": name, "name": STAFF[name]} for name in STAFF]}


def test_a_system_without_employees_says_so(world: World) -> None:
    told = world.muster("employees", "--system", "blink")

    assert (told.code, told.stdout) == (2, "")
    assert "SIX bLink has no employees to name" in told.stderr


@pytest.mark.parametrize(
    ("employee", "result", "words"),
    [
        (f'employee_id = "{EMPLOYEE}"', "pass", "Employee Name, one of 2"),
        ('employee_id = "nobody"', "fail", "the target knows no such employee"),
        ("", "fail", "[azakaw] names none"),
    ],
)
def test_the_preflight_names_who_adds_the_customers_or_who_could(
    world: World, employee: str, result: str, words: str
) -> None:
    configure(world.sandbox, employees=STAFF)
    text = f'[azakaw]\nform_id_individual = "form-individual"\n{employee}\n'
    (world.folder / "muster.toml").write_text(text, encoding="utf-8")

    told = json.loads(world.muster("doctor", "--output", "json").stdout)

    [check] = [each for each in told["checks"] if each["check"] == "employee"]
    assert (check["result"], check["found"]) == (result, words)
    named = f"give employee_id: {EMPLOYEE} (Employee Name), employee-2 (Lerato Molefe)"
    assert check["advice"] == (None if result == "pass" else named)


def test_the_preflight_says_that_no_form_is_named(world: World) -> None:
    (world.folder / "muster.toml").write_text(f'[azakaw]\nemployee_id = "{EMPLOYEE}"\n', encoding="utf-8")

    told = world.muster("doctor", "--output", "json")

    [check] = [each for each in json.loads(told.stdout)["checks"] if each["check"] == "form"]
    assert (told.code, check["result"], check["found"]) == (1, "fail", "none is named")
    assert world.muster("lookup", "--i-know", "--email", "a@example.com").code == 2
    assert world.run([person(1)]).code == 2
