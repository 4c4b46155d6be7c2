"""What a customer row must be: pandera schemas made from `schemas/columns.py`. The single source of truth.

Every rule is an expression over the normalised frame, carries its `code:column`, and yields a mask of full height.
Uniqueness is not here, it needs the whole file (`jobs/duplicates.py`). Refusals and warnings are two schemas.
"""

from collections.abc import Collection, Iterator
from datetime import date

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.config import CONFIG, ValidationDepth, config_context
from pandera.errors import SchemaErrors

from schemas.column import Column
from schemas.column import Rule as Rule
from schemas.columns import columns_of, input_of
from schemas.identity_numbers import is_south_african, rightly_checked

RAGGED = "column_count:_surplus"
"""The code of a row with a wrong number of fields. It stands alone: others would blame shifted columns."""
SPREADSHEET = "spreadsheet"
"""The code of a value that a spreadsheet made of another one."""
EARLIEST_BIRTH = date(1900, 1, 1)
"""Chosen: nobody alive was born before."""

_SPELT_WITH_JOINERS = (
    "Arabic Syriac Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Khmer Myanmar"
)
_JOINER = "([" + "".join(rf"\p{{{script}}}" for script in _SPELT_WITH_JOINERS.split()) + r"])[\x{200C}\x{200D}]"
"""Zero-width (non-)joiners that these scripts spell names with; anywhere else they only hide."""
_UNSEEN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{2800}\x{3164}\x{FFA0}]"
"""Control and format characters, line separators, and letters that show nothing."""
_CONTROL = r"[\p{Cc}\p{Zl}\p{Zp}]"
_LOCAL_DIGITS = 9
"""Of a phone, so that its spelling without country code is recognised too; chosen."""
_QUOTE = r"[\p{Pi}\p{Pf}'\"`´‚„＂＇「」『』〝〞〟]"
_QUOTED = rf'^{_QUOTE}.*{_QUOTE}$|^["＂“„]|["＂“”]$'
"""A name in quotes of whatever kind: they belong to how the file was written, not to the name."""
_SCIENTIFIC = r"^[0-9](?:[.,][0-9]+)?[eE][+-]?[0-9]{1,3}$"
_SPREADSHEET = r"^(?:[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}|#+|#[\p{L}¡/0-9_ ]+[!?]|#N/[ABDV]|#NV|#Н/Д|#I/T|#YOK|\\N)$"
"""A number in scientific notation, a cell's error in some languages of Excel, a column too narrow, a dump's null."""
_NULL_WORD = r"^(?i:null|none|n/?a|nan|nil|undefined)$"
"""People are called so too, so that it is never a refusal by itself."""
_ASCII_EMAIL = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$"
)
"""What the pattern of e-mail columns says of ASCII text."""
_LIKE_AN_EMAIL = r"[^@ ]@[^@ ]+\.[^@ ]"
_LOCAL_PART_TOO_LONG = r"^[^@]{65,}@"


class Defect(Exception):
    """A schema did not answer for every row: a fault of the program or its surroundings, never of a row."""


def refusals(
    system: str,
    *,
    today: date,
    strict_ids: bool = False,
    zeros_lost: bool = False,
    present: Collection[str] | None = None,
) -> tuple[Rule, ...]:
    """What quarantines a row. `today` is the last date of birth that passes.

    `strict_ids` refuses a wrong South African check digit; `zeros_lost` refuses identity numbers of 9 to 12 digits,
    which a numeric column makes out of 13 (both are warnings otherwise). `present`: the columns that the file has;
    None: all. What a file has not can't be wrong, and each rule costs every window a millisecond (measured).
    """
    rules = [Rule(RAGGED, pl.col("~surplus").is_null())]
    for column in _among(system, present):
        rules += rules_of(column, today)
        if column.kind == "identity" and strict_ids:
            rules.append(Rule(column.refusal, _unless_null(pl.col(column.name), rightly_checked(pl.col(column.name)))))
        if column.kind == "identity" and zeros_lost:
            rules.append(Rule(column.refusal, _zeros_kept(column)))
    return (*rules, *input_of(system).rules)


def rules_of(column: Column, today: date) -> list[Rule]:
    """What refuses a value of `column` by itself."""
    readable = _unless_null(_given(column), ~_given(column).str.contains(r"[\x{FFFD}\x00]"))
    rules = [Rule(f"encoding:{column.name}", readable)]
    if not column.secret and column.kind != "file":
        rules.append(Rule(f"{SPREADSHEET}:{column.name}", _undamaged(column)))
    return [*rules, Rule(column.refusal, _shape(column, today))]


def warnings(
    system: str, *, region: str, strict_ids: bool = False, present: Collection[str] | None = None
) -> tuple[Rule, ...]:
    """What is only noted: lengths that other vendor pages give, and values that look wrong but may be right."""
    rules: list[Rule] = []
    for column in _among(system, present):
        if column.advised:
            word = column.kind if column.kind in ("name", "email") else "value"
            length = pl.col(column.name).str.len_chars()
            rules.append(Rule(f"{word}_length:{column.name}", _unless_null(length, length.is_between(*column.advised))))
        if column.kind in ("name", "text", "reference", "key"):
            rules.append(Rule(f"quoted:{column.name}", _unquoted(column)))
        if column.kind in ("name", "text", "reference", "identity"):
            rules.append(Rule(f"null_word:{column.name}", _no_null_word(column)))
        if column.kind == "identity" and not strict_ids:
            rules.append(
                Rule(
                    f"national_id_check_digit:{column.name}",
                    _unless_null(pl.col(column.name), rightly_checked(pl.col(column.name))),
                )
            )
        if column.kind == "identity" and region == "ZA":
            rules.append(Rule(f"leading_zeros_lost:{column.name}", _zeros_kept(column)))
        if column.kind == "date" and column.name == "date_of_birth":
            rules.append(Rule("national_id_differs:date_of_birth", _born_as_numbered()))
        if column.name in ("row_ref", "external_unique_id"):
            rules.append(Rule(f"personal_key:{column.name}", _impersonal(column)))
    return tuple(rules)


def _among(system: str, present: Collection[str] | None) -> Iterator[Column]:
    return (column for column in columns_of(system) if present is None or column.name in present)


def schema_of(
    system: str, rules: tuple[Rule, ...], *, required: bool, present: Collection[str] | None = None
) -> pa.DataFrameSchema:
    """The pandera schema of `rules` over the frame of `jobs/normalise.py`. `required`: missing values fail too.

    `present`: only these columns, and those that `rules` read; None: all.
    """
    read = {name for rule in rules for name in rule.good.meta.root_names()}
    columns = {"source_row": pa.Column(pl.Int64), "~line": pa.Column(pl.Int64, nullable=True)}
    columns["~surplus"] = pa.Column(pl.String, nullable=True)
    for column in columns_of(system):
        if present is not None and not {column.name, _given_name(column)} & {*present, *read}:
            continue
        columns[column.name] = pa.Column(pl.String, nullable=True)
        columns[_given_name(column)] = pa.Column(pl.String, nullable=not (required and column.required))
    return pa.DataFrameSchema(columns, checks=[_check(rule) for rule in rules], strict=True)


def codes_of(system: str, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """Every code that the schema of `rules` can give, in the order of a row's reasons: by column, `missing` first."""
    places = {column.name: place for place, column in enumerate(columns_of(system))}
    missing = [f"missing:{column.name}" for column in columns_of(system) if column.required]
    codes = dict.fromkeys([*missing, *(rule.code for rule in rules)])
    return tuple(sorted(codes, key=lambda code: places.get(code.partition(":")[2], -1)))


def failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> dict[str, pl.Series]:
    """`code:column` -> mask of the rows that fail it; a code that nobody fails is absent.

    The environment can't switch it off. Raises Defect when a check gives no mask of full height.
    """
    CONFIG.use_narwhals_backend = False  # chosen per process when the first schema is asked, so no context reaches it
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            found = errors.schema_errors
        else:
            return {}
    masks: dict[str, pl.Series] = {}
    for error in found:
        code = _code(error.check, error.column_name)
        failed = ~_full_mask(error.check_output, frame.height, code)
        masks[code] = masks[code] | failed if code in masks else failed
    return masks


def _code(check: object, column_name: object) -> str:
    if isinstance(check, pa.Check) and check.error:
        return check.error
    if check == "not_nullable":
        return f"missing:{str(column_name).removesuffix('_text')}"
    raise Defect(f"the customer schema failed at {column_name} without a reason code")


def _full_mask(output: object, height: int, code: str) -> pl.Series:
    if not isinstance(output, pl.DataFrame) or output.height != height or output.columns != ["check_output"]:
        raise Defect(f"the check {code} did not answer for every row")
    mask = output["check_output"]
    if mask.dtype != pl.Boolean:
        raise Defect(f"the check {code} answered with {mask.dtype}")
    return mask.fill_null(value=True)


def _check(rule: Rule) -> pa.Check:
    def masks(frame: PolarsData) -> pl.LazyFrame:
        return frame.lazyframe.select(rule.good)

    return pa.Check(masks, error=rule.code, n_failure_cases=0)


def _unless_null(value: pl.Expr, good: pl.Expr) -> pl.Expr:
    return value.is_null() | good.fill_null(value=False)


def _given_name(column: Column) -> str:
    return f"{column.name}_text" if column.kind == "phone" else column.name


def _given(column: Column) -> pl.Expr:
    return pl.col(_given_name(column))


def _shape(column: Column, today: date) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "phone":
        return _given(column).is_null() | value.is_not_null()
    if column.kind in ("name", "text"):
        good = ~value.str.replace_all(_JOINER, "$1").str.contains(_UNSEEN)
    elif column.kind in ("reference", "file"):
        good = ~value.str.contains(_CONTROL)
    else:
        good = value.str.contains(column.pattern or "")
    if column.kind == "date":
        day = value.str.to_date("%Y-%m-%d", strict=False)
        good &= day.is_between(EARLIEST_BIRTH, today)
    if column.kind == "identity":
        good &= ~value.str.contains(_SCIENTIFIC)
    if column.kind == "email":
        good = _addressed(value, column.pattern or "")
    if column.longest:
        good &= value.str.len_chars() <= column.longest
    return _unless_null(value, good)


def _addressed(value: pl.Expr, pattern: str) -> pl.Expr:
    """`pattern` is slow over Unicode classes (1.4 µs a value), so that it sees only what is not ASCII."""
    plain = value.str.contains(_ASCII_EMAIL)
    rest = pl.when(value.str.len_bytes() != value.str.len_chars()).then(value)
    return (plain | rest.str.contains(pattern).fill_null(value=False)) & ~value.str.contains(_LOCAL_PART_TOO_LONG)


def _zeros_kept(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    return _unless_null(value, ~value.str.contains(r"^[0-9]{9,12}$"))


def _undamaged(column: Column) -> pl.Expr:
    damaged = _given(column).str.contains(_SPREADSHEET)
    if column.kind == "identity":
        damaged |= pl.col(column.name).str.contains(_SCIENTIFIC)
    return _unless_null(_given(column), ~damaged)


def _no_null_word(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    return _unless_null(value, ~value.str.contains(_NULL_WORD))


def _unquoted(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    return _unless_null(value, ~value.str.contains(_QUOTED))


def _born_as_numbered() -> pl.Expr:
    """A South African identity number begins with the date of birth, yymmdd."""
    born = pl.col("date_of_birth")
    numbered = pl.col("national_id")
    same = born.str.slice(2).str.replace_all("-", "") == numbered.str.head(6)
    return _unless_null(born, numbered.is_null() | ~is_south_african(numbered) | same)


def _impersonal(column: Column) -> pl.Expr:
    """A key that holds the row's identity or phone number, or an e-mail address, shows it in every report."""
    value = pl.col(column.name)
    shown = [pl.col("national_id"), pl.col("phone").str.tail(_LOCAL_DIGITS)]
    shows = [value.str.contains(one, literal=True).fill_null(value=False) for one in shown]
    return _unless_null(value, ~pl.any_horizontal(*shows, value.str.contains(_LIKE_AN_EMAIL)))
