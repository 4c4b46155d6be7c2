"""The ledger: what was intended, what was sent, what came back, how each row ended. Durable before it is believed.

`tables.py` is the schema, `store.py` every read and write as a verb, `writer.py` the group commit,
`sqlite.py` the one place that knows SQLite.
"""
