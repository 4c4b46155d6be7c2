"""The file, the ledger and a fresh read of the target, compared until the books balance.

`compare.py` compares row by row with the target, `extract_comparison.py` with an extract of it and no call at all.
"""
