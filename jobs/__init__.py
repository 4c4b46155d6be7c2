"""muster: onboards customers in bulk and proves what it did.

    file -> preflight, stage -> validate -> onboard -> report -> reconcile

A row is a row of a frame until it is validated, a record with steps until it is settled,
a ledger row for ever, and a row of a frame again in the report. `flow.py` holds the whole job on one page.
"""

__version__ = "0.1.0"
