"""From a file to rows that may be acted on: read strictly, staged as text, normalised, judged, split in two.

`preflight` reads the file once to its end; `stage` makes text of it; `validate` splits it into accepted and
quarantined rows; `quarantine` gives the refused ones back. Nothing here knows the network or the ledger.
"""
