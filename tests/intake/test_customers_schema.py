"""The rules one by one, against libraries that know better; what the exported schema says; the traps of the checks."""

import csv
import io
import os
import random
import re
import time
from datetime import date

import pandera.polars as pa
import polars as pl
import pytest
from email_validator import EmailNotValidError, validate_email
from stdnum.za import idnr

from jobs.intake.customer_keys import customer_keys
from jobs.keys import KeySpace
from jobs.systems import SYSTEMS
from schemas import customers, usual
from schemas.columns import ALWAYS, columns_of, folded, input_of, spellings
from schemas.export import column_table, example_csv, json_schema
from schemas.identity_numbers import rightly_checked
from schemas.sentences import phrase

TODAY = date(2026, 11, 21)
RULES = customers.refusals("eclipse", today=TODAY)


def passing(column: str, values: list[str]) -> list[bool]:
    """Which of `values` the shape rule of `column` passes."""
    code = next(one.refusal for one in columns_of("eclipse") if one.name == column)
    rule = next(rule for rule in RULES if rule.code == code)
    return pl.DataFrame({column: values}, schema={column: pl.String}).select(rule.good).to_series().to_list()


def deliverable(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False, test_environment=True, strict=False)
    except EmailNotValidError:
        return False
    return True


def test_emails_pass_as_a_validator_passes_them() -> None:
    chance = random.Random(8)
    signs = "abcXYZ019.-_+'@!#"
    addresses = ["".join(chance.choices(signs, k=chance.randrange(1, 12))) + f"@{domain(chance)}" for _ in range(6000)]
    found = passing("email", addresses)

    assert 500 < sum(found) < 5500
    for address, good in zip(addresses, found, strict=True):
        assert good == deliverable(address), address


def domain(chance: random.Random) -> str:
    labels = ["".join(chance.choices("abz09-", (6, 6, 6, 2, 2, 1), k=chance.randrange(1, 5))) for _ in range(2)]
    return ".".join([*labels, chance.choice(("com", "co", "za", "museum"))])


def test_identity_numbers_are_checked_as_the_standard_says() -> None:
    chance = random.Random(9)
    numbers = [
        f"{chance.randrange(100):02d}{chance.randrange(14):02d}{chance.randrange(33):02d}"
        f"{chance.randrange(10**4):04d}{chance.choice('01')}8{digit}"
        for digit in "0123456789" * 600
    ]
    found = pl.DataFrame({"n": numbers}).select(rightly_checked(pl.col("n"))).to_series()

    assert found.sum() > 50
    assert found.to_list() == [idnr.is_valid(number) for number in numbers]


def test_keys_are_those_of_the_key_space() -> None:
    keys = KeySpace.of("eclipse", "1001")
    refs, ids = ["A1", None, "é", None], ["1", "9001015009086", None, None]
    found = customer_keys(
        keys, {"row_ref": pl.Series(refs, dtype=pl.String), "national_id": pl.Series(ids, dtype=pl.String)}
    ).to_list()

    assert found[:3] == [
        keys.customer(row_ref=ref, national_id=one) for ref, one in zip(refs[:3], ids[:3], strict=True)
    ]
    assert found[3] is None


def test_a_check_that_answers_for_no_row_is_a_defect() -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    for check in (lambda data: data.lazyframe.select(pl.col("a").min() > 1), lambda data: 1 / 0):
        schema = pa.DataFrameSchema({"a": pa.Column(pl.Int64)}, checks=[pa.Check(check, error="x:a")])
        with pytest.raises(customers.Defect):
            customers.failures(schema, frame)


@pytest.mark.parametrize("frame", [{"a": ["1"]}, {"b": [1]}, {"a": [1], "b": [1]}])
def test_a_frame_of_another_shape_is_a_defect(frame: dict[str, list[object]]) -> None:
    schema = pa.DataFrameSchema({"a": pa.Column(pl.Int64)}, strict=True)
    with pytest.raises(customers.Defect):
        customers.failures(schema, pl.DataFrame(frame))


def test_rules_take_linear_time() -> None:
    worst = ["a" * 100_000, "a." * 50_000, "a@" + "a." * 50_000, "\u0627\u200c" * 50_000, "0" * 100_000, "é" * 100_000]
    names = [column.name for column in columns_of("eclipse")]
    frame = pl.DataFrame(dict.fromkeys([*names, "phone_text", "~surplus"], worst))
    for rule in (*RULES, *customers.warnings("eclipse", region="ZA")):
        started = time.process_time()
        frame.select(rule.good)
        assert time.process_time() - started < 0.1 * len(worst), rule.code


def test_every_code_has_words() -> None:
    codes = customers.codes_of("eclipse", RULES)
    assert all("{" not in phrase(code) for code in codes)
    assert len(codes) == len(set(codes))


def test_example_row_passes_every_rule_and_the_exported_schema() -> None:
    header, row = list(csv.reader(io.StringIO(example_csv("eclipse"))))
    schema = json_schema("eclipse")["properties"]
    cells = dict(zip(header, row, strict=True)) | {"phone": "27821234567"}

    assert header == list(schema) == [line["column"] for line in column_table("eclipse")]
    for name, value in cells.items():
        assert passing(name, [value]) == [True] if name != "phone" else value
        if "pattern" in schema[name] and r"\p" not in schema[name]["pattern"]:
            assert re.search(schema[name]["pattern"], value), name


def test_spellings_lead_to_one_column_each() -> None:
    for system in SYSTEMS:
        columns = columns_of(system)
        named = [column for column in columns if not column.numbered]
        names = [folded(one) for column in named for one in {column.name, *column.aliases}]
        assert len(spellings(columns)) == len(set(names)), system


def test_every_system_has_what_keys_and_masks_need() -> None:
    for system in SYSTEMS:
        columns = columns_of(system)
        by_name = {column.name: column for column in columns}
        assert set(ALWAYS) <= set(by_name), system
        model = input_of(system)
        assert {*model.seeds, *model.distinct} <= set(by_name), system
        assert any(by_name[seed].required for seed in model.seeds) or model.rules, system


def test_the_tests_run_without_switches_of_the_environment() -> None:
    assert not [name for name in os.environ if name.startswith("PANDERA_")]


def test_a_usual_column_is_changed_for_one_system_only() -> None:
    kept = usual.EXTERNAL_UNIQUE_ID
    same = kept.at("key")
    other = kept.at("key", "reference", required=True)

    assert (same.api, same.aliases, same.pattern) == ("key", ("externalUniqueId",), kept.pattern)
    assert (other.aliases, other.required, other.description) == (("reference",), True, kept.description)
    assert (kept.api, kept.aliases, kept.required) == (None, ("externalUniqueId",), False)
    with pytest.raises(TypeError, match="longset"):
        kept.at("key", longset=10)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_ledgers_keys_have_one_shape_everywhere(system: str) -> None:
    found = {column.name: column for column in columns_of(system)}

    for own, kept in ((found["row_ref"], usual.ROW_REF), (found["external_unique_id"], usual.EXTERNAL_UNIQUE_ID)):
        assert (own.kind, own.pattern, own.longest, own.aliases) == (
            kept.kind,
            kept.pattern,
            kept.longest,
            kept.aliases,
        )
        assert not own.required
        assert not own.personal
