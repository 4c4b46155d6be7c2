"""Calls that reach a target: a permit, a token, one sending, and what may be tried again.

`client.py` is the way of a call; `sender.py` is the one seam to the network.
"""
