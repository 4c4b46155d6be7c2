"""Omnumi's Partner API v1.5.0: one call creates the customer, and nothing can be read again.

Facts come from the vendor's release note; `docs/omnumi.md` lists what it leaves open and how each gap is handled.
"""
