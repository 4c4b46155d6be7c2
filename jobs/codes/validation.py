"""Why validation refuses a row (`code:column`), and what it notes of one that it lets pass."""

from jobs.codes.code import Code
from jobs.model import Outcome

_MEND = "Correct it in the rows that muster mend RUN --to FILE gives, and run that file."
_SOURCE = "Format the column as text in the source and export it again."


def _refused(name: str, meaning: str, action: str = _MEND) -> Code:
    return Code(name, meaning, action, Outcome.QUARANTINED)


REFUSALS: tuple[Code, ...] = (
    _refused(
        "missing",
        "a required value is empty",
        "Fill the field: muster mend RUN --to FILE gives the rows, to be run again.",
    ),
    _refused("phone_invalid", "not one valid mobile number"),
    _refused("email_invalid", "not an e-mail address"),
    _refused("national_id_invalid", "not an identity number"),
    _refused("name_invalid", "a control or invisible character in a name"),
    _refused("date_invalid", "not a date from 1900-01-01 until today", "Correct it, or name its format in [dates]."),
    _refused("key_invalid", "not a usable key"),
    _refused(
        "duplicate_in_file",
        "another row of the file has the same key, phone or identity number",
        "Decide which row is right and keep that one of those that muster mend RUN --to FILE gives.",
    ),
    _refused(
        "column_count",
        "too few or too many fields in the line",
        "Mend its quotes or separators, and empty _surplus: muster mend RUN --to FILE gives the rows.",
    ),
    _refused("encoding", "text that was damaged before it came here", "Export it again as UTF-8."),
    _refused(
        "quoting",
        "a quotation mark in the middle of an unquoted field",
        "Quote the whole field, double the marks in it.",
    ),
    _refused("spreadsheet", "what a spreadsheet made of another value", f"{_SOURCE[:-1]}, or give --restore-zeros."),
    _refused("value_invalid", "none of the values that the target takes", "Correct it, or name its words in [values]."),
)

WARNINGS: tuple[Code, ...] = (
    Code("leading_zeros_lost", "perhaps lost leading zeros in a spreadsheet", "Compare with the source."),
    Code("zeros_restored", "got back the zeros that a spreadsheet had dropped", "Nothing."),
    Code("written_differently", "the same at the target, written differently; nothing was changed there", "Nothing."),
    Code("null_word", "a word for nothing, such as NULL; it is sent as a value", "Empty it in the source."),
    Code("quoted", "begins or ends with a quotation mark; it is sent with it", "Mend the export."),
    Code("phone_country", "taken for a number of --region; with a + it would be of another country", "Check it."),
    Code(
        "name_length",
        "shorter or longer than another page of the vendor says",
        "Nothing, unless the target refuses it.",
    ),
    Code("email_length", "shorter or longer than another page of the vendor says", "Nothing, unless it is refused."),
    Code("value_length", "shorter or longer than another page of the vendor says", "Nothing, unless it is refused."),
    Code(
        "national_id_check_digit",
        "13 digits that are no South African number",
        "Compare with the source; --strict-ids refuses them.",
    ),
    Code("national_id_differs", "date of birth and identity number disagree", "Compare with the source."),
    Code(
        "personal_key",
        "the reference holds the row's identity number, phone or e-mail",
        "Use a key that is nobody's data.",
    ),
)
