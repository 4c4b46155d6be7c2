"""The file, the ledger and a fresh read of the target, compared until the books balance.

`reconcile.py` compares row by row with the target, `against.py` with an extract of it and no call at all.
"""
