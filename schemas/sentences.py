"""Reason codes and warnings as words for people. Never a value, only names of columns."""

_PHRASES = {
    "missing": "{column} is missing",
    "phone_invalid": "{column} is not a valid mobile number",
    "email_invalid": "{column} is not an e-mail address",
    "national_id_invalid": "{column} is not an identity number",
    "name_invalid": "{column} holds a control or invisible character",
    "date_invalid": "{column} is not a date from 1900-01-01 until today, written yyyy-mm-dd",
    "key_invalid": "{column} is not a usable key",
    "value_invalid": "{column} is not one of the values that the target takes",
    "encoding": "{column} holds a character that was lost in an earlier conversion (U+FFFD) or a NUL",
    "column_count": "the row has a wrong number of fields",
    "duplicate_in_file": "{column} stands in the file more than once",
}

_NO_DOCUMENT = "{column} names no JPEG, PNG or PDF file in the folder of documents, or one that is empty or too large"


def phrase(code: str) -> str:
    """`code:column` as half a sentence. Raises KeyError for a code that has none."""
    name, _, column = code.partition(":")
    if name == "value_invalid" and column.endswith("_file"):
        return _NO_DOCUMENT.format(column=column)
    return _PHRASES[name].format(column=column)
