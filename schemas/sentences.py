"""Reason codes and warnings as words for people. Never a value, only names of columns."""

_PHRASES = {
    "missing": "{column} is missing",
    "phone_invalid": "{column} is not a valid mobile number",
    "phone_double": "{column} holds more than one number, or an extension; give each row one number",
    "email_invalid": "{column} is not an e-mail address",
    "national_id_invalid": "{column} is not an identity number",
    "name_invalid": "{column} holds a control or invisible character",
    "date_invalid": "{column} is not a date from 1900-01-01 until today, written yyyy-mm-dd",
    "key_invalid": "{column} is not a usable key",
    "value_invalid": "{column} is not one of the values that the target takes",
    "encoding": "{column} holds a character that was lost in an earlier conversion (U+FFFD) or a NUL",
    "spreadsheet": "{column} is what a spreadsheet made of another value; format the column as text in the source "
    "and export it again",
    "quoting": "{column} has a quotation mark in a field that does not begin with one; "
    "put the whole field in quotes and double the quotes inside it",
    "column_count": "the row has a wrong number of fields",
    "duplicate_in_file": "{column} stands in the file more than once",
}

_NO_DOCUMENT = "{column} names no JPEG, PNG or PDF file in the folder of documents, or one that is empty or too large"


_ZEROS = "{column} lost its leading zeros in a spreadsheet; format the column as text in the source and export it "
_ZEROS += "again, or give --restore-zeros"

_REMARKS = {
    "leading_zeros_lost": "{column} may have lost leading zeros in a spreadsheet; format the column as text there",
    "zeros_restored": "{column} got back the leading zeros that a spreadsheet had dropped",
    "null_word": "{column} is a word for nothing, such as NULL or NA; it is sent as a value",
    "quoted": "{column} begins or ends with a quotation mark; it is sent with it",
    "phone_country": "{column} was taken for a number of this region; with a + it would be one of another country",
    "written_differently": "{column} is the same at the target, written differently; nothing was changed there",
    "name_length": "{column} is shorter or longer than another page of the vendor says",
    "email_length": "{column} is shorter or longer than another page of the vendor says",
    "value_length": "{column} is shorter or longer than another page of the vendor says",
    "national_id_check_digit": "{column} has 13 digits and is no South African number: date, kind or check digit",
    "national_id_differs": "{column} is another day than the identity number says",
    "personal_key": "{column} holds the identity number, phone or e-mail of its row; reports mask it",
}


def remark(code: str) -> str:
    """A warning `code:column` as half a sentence; the code itself where the target gave it."""
    name, _, column = code.partition(":")
    return _REMARKS[name].format(column=column) if name in _REMARKS else code


def phrase(code: str) -> str:
    """`code:column` as half a sentence. Raises KeyError for a code that has none."""
    name, _, column = code.partition(":")
    if name == "value_invalid" and column.endswith("_file"):
        return _NO_DOCUMENT.format(column=column)
    return _PHRASES[name].format(column=column)
