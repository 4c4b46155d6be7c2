"""The files of a run: written whole or not at all, private, and provable.

Everything comes in as plain values, frames and paths; nothing here knows the ledger, the network or the command line.
"""
