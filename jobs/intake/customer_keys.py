"""The external unique ids of a whole frame: the same strings as `KeySpace.customer`, several times as fast."""

import hashlib
from collections.abc import Mapping

import polars as pl

from jobs.keys import KeySpace

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def customer_keys(keys: KeySpace, seeds: Mapping[str, pl.Series]) -> pl.Series:
    """`cust-<uuid>` from the first of `seeds` (column name to values) that a row has; null where it has none."""
    seeded = pl.select(
        pl.coalesce(f"{name}|" + values for name, values in seeds.items()).alias("seed"),
    )["seed"]
    prefix = hashlib.sha1(keys.namespace.bytes, usedforsecurity=False)
    return pl.Series("external_unique_id", [None if seed is None else _key(prefix, seed) for seed in seeded], pl.String)


def _key(prefix: "hashlib._Hash", seed: str) -> str:
    digest = prefix.copy()
    digest.update(seed.encode())
    text = digest.hexdigest()
    return f"cust-{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"
