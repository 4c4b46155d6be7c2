"""Settings and facts without their secrets, by the name of the key. The second line: configuration redacts before."""

import re
from collections.abc import Mapping

_SECRET = re.compile(
    r"passw|passphrase|token|secret|authorization|credential|api_?key|private|pseudonym|(^|_)identity$"
)
_URL_USER = re.compile(r"(?<=://)[^/@\s]*@")


def without_secrets(facts: Mapping[str, object]) -> dict[str, object]:
    """`facts` with `***` for the value of every key that names a secret, at any depth, and without users in URLs.

    Names of files that hold a secret (`token_file`) stay.
    """
    return {key: _redacted(key.lower(), value) for key, value in facts.items()}


def _redacted(key: str, value: object) -> object:
    if _SECRET.search(key) and not key.endswith("_file") and value is not None:
        return "***"
    if isinstance(value, Mapping):
        return without_secrets(value)
    if isinstance(value, list | tuple):
        return [_redacted("", item) for item in value]
    return _URL_USER.sub("***@", value) if isinstance(value, str) else value
