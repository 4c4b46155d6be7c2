"""Splits one window of rows: normalise, run the two schemas, name all reasons, give each row its key.

It sees no more than the window; what needs the whole file is in `validate` and `duplicates`.
"""

import os
from collections.abc import Callable, Collection, Sequence
from datetime import date

import pandera.polars as pa
import polars as pl

from jobs.errors import MusterError
from jobs.intake.customer_keys import customer_keys
from jobs.intake.files import Files
from jobs.intake.normalise import as_issued, normalise
from jobs.intake.numbered import Numbered
from jobs.intake.phones import TWO_NUMBERS, foreign
from jobs.intake.preflight import InputFile
from jobs.intake.stage import LINE, SOURCE_ROW, STRAY, SURPLUS, staged_name
from jobs.keys import KeySpace
from jobs.privacy.masking import tail_expr
from jobs.value import value
from schemas import customers
from schemas.columns import columns_of, input_of
from schemas.identity_numbers import zeros_restored
from schemas.sentences import phrase

os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", "2")
"""Row groups that polars reads ahead. It has no other switch for that, and by default reads as many as there are: at 1
million rows 799 MiB, with two 588 (measured)."""

Issued = Callable[[Sequence[str]], Collection[str]]
"""Those of some keys that were given to a customer already."""

Masks = dict[str, pl.Series]
TWO = "phone_double"
"""What the sentence of a refused phone says; its code is as for all others."""
FOREIGN = "phone_country"
FORMER_KEY = "~former_key"
"""The key that an earlier muster derived from the row; null where it is the same, or the ledger has it."""
PERSONAL_KEY = "~personal_key"
"""Whether a row's key shows a number or an address of a person, or was derived from one."""
GUESSED = frozenset({"identity", "phone", "email"})
"""Kinds of columns whose values somebody can list: a key derived from one leads back to it."""
_AWAKE: set[tuple[str, ...]] = set()
"""The systems, columns and codes that were seen refusing a bad row: what could switch them off holds for a process."""

ZEROS = (f"{customers.SPREADSHEET}:national_id", "zeros_restored:national_id")
"""An identity number without its leading zeros: refused, or mended where that was asked for."""


@value
class Judge:
    """The rules of one file, ready to be asked window by window."""

    file: InputFile
    keys: KeySpace
    region: str
    refusals: pa.DataFrameSchema
    warnings: pa.DataFrameSchema
    order: tuple[str, ...]
    files: Files
    today: date
    restore_zeros: bool = False
    issued: Issued | None = None

    @classmethod
    def of(
        cls,
        file: InputFile,
        keys: KeySpace,
        *,
        region: str,
        strict_ids: bool,
        today: date,
        files: Files | None = None,
        restore_zeros: bool = False,
        issued: Issued | None = None,
    ) -> "Judge":
        """The judge of `file`; without `files`, documents lie beside it.

        Raises MusterError when the schema does not answer a row that is known to be bad."""
        system = file.system
        zeros_lost = region == "ZA" and file.header_of("national_id") in file.numeric
        present = frozenset(name for name in file.mapping.values() if name is not None)
        refusing = customers.refusals(
            system, today=today, strict_ids=strict_ids, zeros_lost=zeros_lost, present=present
        )
        noting = customers.warnings(system, region=region, strict_ids=strict_ids, present=present)
        abroad = tuple(f"{FOREIGN}:{column.name}" for column in columns_of(system) if column.kind == "phone")
        judge = cls(
            file,
            keys,
            region,
            customers.schema_of(system, refusing, required=True, present=present),
            customers.schema_of(system, noting, required=False, present=present),
            tuple(
                dict.fromkeys(
                    customers.codes_of(system, refusing) + customers.codes_of(system, noting) + ZEROS + abroad
                )
            ),
            files=files or Files(file.path.parent),
            today=today,
            restore_zeros=restore_zeros,
            issued=issued,
        )
        judge._prove_awake()
        return judge

    def split(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(accepted, quarantined) of a window of the staged file; both keep `~line`."""
        frame = normalise(rows, self.file, region=self.region)
        before = self._before(rows, frame)
        frame, zeros = self._zeros(frame)
        refused = self._with_documents(self._masks(self.refusals, frame), frame)
        noted = self._masks(self.warnings, frame)
        _add(noted, self._foreign(frame))
        _add(noted if self.restore_zeros else refused, zeros)
        _spreadsheet_alone(refused, self.file.system)
        stray = self._stray(frame)
        ragged = frame[SURPLUS].is_not_null() | frame[STRAY].is_not_null()
        refused = {code: mask if code == customers.RAGGED else mask & ~ragged for code, mask in refused.items()}
        refused |= stray
        noted = {code: mask & ~ragged for code, mask in noted.items()}
        keys, former = self._kept(self._keyed(frame, refused, ragged), frame, before)
        frame = frame.with_columns(
            keys,
            former.alias(FORMER_KEY),
            self._personal(frame, noted).alias(PERSONAL_KEY),
            joined(noted, self.order, frame.height).alias("warnings"),
            pl.coalesce("phone", "phone_text").alias("~phone"),
        ).with_columns(
            tail_expr("~phone", 2).alias("phone_masked"), tail_expr("national_id", 3).alias("national_id_masked")
        )
        bad = _any(refused, frame.height)
        order = tuple(dict.fromkeys((*stray, *self.order, *refused)))
        codes = joined({code: mask.filter(bad) for code, mask in refused.items()}, order, int(bad.sum()))
        return self._accepted(frame.filter(~bad)), _quarantined(frame.filter(bad), codes, self.file.system)

    def _before(self, rows: pl.DataFrame, frame: pl.DataFrame) -> dict[str, pl.Series]:
        """By seed of a key: the values that an earlier muster derived it from, null where they were the same."""
        if self.issued is None:
            return {}
        before: dict[str, pl.Series] = {}
        reference = self.file.header_of("row_ref")
        if reference is not None and rows[staged_name(reference)].null_count() < rows.height:
            before["row_ref"] = as_issued(rows[staged_name(reference)])
        if self.restore_zeros:
            before["national_id"] = frame["national_id"]
        return before

    def _kept(self, keys: pl.Series, frame: pl.DataFrame, before: dict[str, pl.Series]) -> tuple[pl.Series, pl.Series]:
        """`keys`, with the one that was issued already where a row would get another one now; and that other one.

        Where the ledger does not know which it was, the target may: null in the second where there is but one.
        """
        former = keys.clear(len(keys))
        open_ = frame["external_unique_id"].is_null() & keys.is_not_null()
        for seed in input_of(self.file.system).seeds:
            if seed in before and self.issued is not None:
                other = open_ & (before[seed] != frame[seed]).fill_null(value=False)
                rows = other.arg_true()
                if len(rows):
                    old = customer_keys(self.keys, {seed: before[seed][rows]})
                    known = set(self.issued(old.to_list()))
                    both = list(zip(old, keys[rows], strict=True))
                    former = former.scatter(rows, [None if mine in known else mine for mine, _ in both])
                    keys = keys.scatter(rows, [mine if mine in known else now for mine, now in both])
            open_ &= frame[seed].is_null() if seed in frame.columns else True
        return keys, former

    def _foreign(self, frame: pl.DataFrame) -> Masks:
        """The rows whose phone may be another country's, written without its plus."""
        found: Masks = {}
        for column in columns_of(self.file.system):
            if column.kind == "phone" and self.file.header_of(column.name) is not None:
                doubtful = foreign(frame[f"{column.name}_text"], frame[column.name], self.region)
                if doubtful.any():
                    found[f"{FOREIGN}:{column.name}"] = doubtful
        return found

    def _zeros(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, Masks]:
        """The frame, with the zeros of identity numbers where they are to be restored, and the rows that lost them."""
        if self.region != "ZA" or self.file.header_of("national_id") is None:
            return frame, {}
        whole = zeros_restored(frame["national_id"])
        lost = whole.is_not_null()
        if not lost.any():
            return frame, {}
        if self.restore_zeros:
            frame = frame.with_columns(pl.coalesce(whole, "national_id").alias("national_id"))
        return frame, {ZEROS[self.restore_zeros]: lost}

    def _stray(self, frame: pl.DataFrame) -> Masks:
        """The rows with a quote inside a field that does not begin with one; what else is wrong there nobody knows."""
        masks: Masks = {}
        for place in frame[STRAY].drop_nulls().unique().sort():
            header = self.file.header[place - 1] if place <= len(self.file.header) else None
            column = (header and self.file.mapping[header]) or f"column_{place}"
            masks[f"quoting:{column}"] = (frame[STRAY] == place).fill_null(value=False)
        return masks

    def _with_documents(self, masks: Masks, frame: pl.DataFrame) -> Masks:
        """`masks`, and the rows whose documents can't be sent."""
        for column in columns_of(self.file.system):
            if column.kind == "file":
                code = column.refusal
                unusable = self.files.unusable(code, frame[column.name], frame[SOURCE_ROW])
                if unusable.any():
                    _add(masks, {code: unusable})
            if column.numbered:
                _add(masks, Numbered(column, self.files, self.today).refused(frame))
        return masks

    def _masks(self, schema: pa.DataFrameSchema, frame: pl.DataFrame) -> Masks:
        try:
            return customers.failures(schema, frame.select(*schema.columns))
        except customers.Defect as defect:
            raise MusterError(f"validation is not trustworthy here and was stopped: {defect}") from defect

    def _prove_awake(self) -> None:
        rules = (self.file.system, *self.refusals.columns, *self.order)
        if rules in _AWAKE:
            return
        types = {name: column.dtype.type for name, column in self.refusals.columns.items()}
        bad = pl.DataFrame({name: [None] for name in types}, schema=types).with_columns(source_row=pl.lit(1, pl.Int64))
        missing = [f"missing:{column.name}" for column in columns_of(self.file.system) if column.required]
        found = set(self._masks(self.refusals, bad))
        if not found or not set(missing) <= found:
            raise MusterError("validation is switched off here: a row without any value passed the customer schema")
        _AWAKE.add(rules)

    def _keyed(self, frame: pl.DataFrame, refused: Masks, ragged: pl.Series) -> pl.Series:
        """The key of each row; null where it can't be known: ragged, an unusable key, nothing to derive it from."""

        def usable(name: str) -> pl.Series:
            wrong = [mask for code, mask in refused.items() if code.endswith(f":{name}")]
            return (
                frame[name]
                .to_frame()
                .select(pl.when(~(_any(wrong, frame.height) | ragged)).then(pl.col(name)))
                .to_series()
            )

        open_ = frame["external_unique_id"].is_null()
        seeds: dict[str, pl.Series] = {}
        for seed in input_of(self.file.system).seeds:
            parts = seed.split("+")
            value = pl.concat_str([pl.lit(usable(name)) for name in parts], separator="|")
            seeds[seed] = pl.select(pl.when(open_).then(value)).to_series()
            open_ &= pl.select(pl.any_horizontal(pl.lit(frame[name].is_null()) for name in parts)).to_series()
        derived = customer_keys(self.keys, seeds)
        return pl.select(pl.coalesce(usable("external_unique_id"), derived).alias("external_unique_id")).to_series()

    def _personal(self, frame: pl.DataFrame, noted: Masks) -> pl.Series:
        """Says of each row what PERSONAL_KEY means."""
        none = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
        guessed = {column.name for column in columns_of(self.file.system) if column.kind in GUESSED}
        found, open_ = noted.get("personal_key:external_unique_id", none), frame["external_unique_id"].is_null()
        for seed in input_of(self.file.system).seeds:
            parts = seed.split("+")
            there = open_ & ~_any([frame[name].is_null() for name in parts], frame.height)
            shown = noted.get("personal_key:row_ref", none) if "row_ref" in parts else none
            found |= there & (~none if guessed & set(parts) else shown)
            open_ &= ~there
        return found

    def _accepted(self, frame: pl.DataFrame) -> pl.DataFrame:
        names = [column.name for column in columns_of(self.file.system)]
        return frame.select(
            SOURCE_ROW, LINE, *names, FORMER_KEY, PERSONAL_KEY, "phone_masked", "national_id_masked", "warnings"
        )


def _add(masks: Masks, more: Masks) -> None:
    for code, mask in more.items():
        masks[code] = masks[code] | mask if code in masks else mask


def _spreadsheet_alone(refused: Masks, system: str) -> None:
    """What a spreadsheet damaged is not blamed for its shape too."""
    for column in columns_of(system):
        damaged = refused.get(f"{customers.SPREADSHEET}:{column.name}")
        if damaged is not None and column.refusal in refused:
            refused[column.refusal] = refused[column.refusal] & ~damaged


def joined(masks: Masks, order: tuple[str, ...], height: int) -> pl.Series:
    """Per row the codes whose mask is true, in `order`, joined by `;`; null where there is none."""
    if not masks:
        return pl.Series([None], dtype=pl.String).new_from_index(0, height)
    codes = [code for code in order if code in masks]
    words = [pl.when(masks[code]).then(pl.lit(code)) for code in codes]
    text = pl.concat_str(words, separator=";", ignore_nulls=True)
    return pl.select(pl.when(text != "").then(text)).to_series()


def _any(masks: Masks | list[pl.Series], height: int) -> pl.Series:
    found = pl.repeat(value=False, n=height, dtype=pl.Boolean, eager=True)
    for mask in masks.values() if isinstance(masks, dict) else masks:
        found |= mask
    return found


def _quarantined(frame: pl.DataFrame, codes: pl.Series, system: str) -> pl.DataFrame:
    known = {code for text in codes.unique() for code in text.split(";")}
    phrases = {code: phrase(code) for code in known}
    told = pl.col("reason_code")
    for column in columns_of(system):
        if column.refusal in known and column.kind == "phone":
            double = pl.col(f"{column.name}_text").str.contains(TWO_NUMBERS)
            told = (
                pl.when(double)
                .then(told.str.replace(column.refusal, f"{TWO}:{column.name}", literal=True))
                .otherwise(told)
            )
            phrases[f"{TWO}:{column.name}"] = phrase(f"{TWO}:{column.name}")
    sentence = told.str.split(";").list.eval(pl.element().replace_strict(phrases, return_dtype=pl.String))
    shown = pl.when(pl.col(SURPLUS).is_null() & pl.col(STRAY).is_null())
    unusable_ref = pl.col("reason_code").str.contains(r"(?:key_invalid|encoding):row_ref(?:;|$)")
    return frame.with_columns(reason_code=codes).select(
        SOURCE_ROW,
        LINE,
        shown.then(pl.when(~unusable_ref).then(shown_key("row_ref"))).alias("row_ref"),
        shown_key("external_unique_id"),
        "reason_code",
        (where() + ": " + sentence.list.join("; ")).alias("reason"),
        shown.then(pl.col("phone_masked")).alias("phone_masked"),
        shown.then(pl.col("national_id_masked")).alias("national_id_masked"),
        "warnings",
        PERSONAL_KEY,
    )


def shown_key(name: str) -> pl.Expr:
    """A key as reports may show it: masked where it holds the identity or phone number of its own row."""
    personal = pl.col("warnings").fill_null("").str.contains(f"personal_key:{name}", literal=True)
    return pl.when(personal).then(tail_expr(name, 2)).otherwise(pl.col(name)).alias(name)


def where(line: str = LINE, row: str = SOURCE_ROW) -> pl.Expr:
    """`line 12` of a text file, `row 11` where there are no lines (Parquet)."""
    return pl.coalesce(pl.format("line {}", pl.col(line)), pl.format("row {}", pl.col(row)))
