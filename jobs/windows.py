"""How many rows are in memory at a time: each kind of work has one number."""

A_LOOKUP = 1_000
"""Rows as objects, handed on together (chosen): their ledger records are looked up with one query."""

A_WINDOW = 20_000
"""Lines of the ledger or of a report, read and written together (chosen)."""

A_FRAME = 250_000
"""Staged rows in columns. Measured: 100k costs a fifth more time, 500k a third more memory."""
