"""The rows on their way: what is known of each, what comes next, and why a run stops before its end.

`case.py` is the fate of one row, pure; `driver.py` drives it; `workers.py` has those that drive many.
"""
