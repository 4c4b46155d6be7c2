"""Azakaw: add the customer, perhaps have a password made for it, see what became of it.

Facts come from the vendor's page "Customer Profile Management", those about tokens, the list of submissions and
status codes from its neighbouring pages; `docs/azakaw.md` lists what they leave open and how each gap is handled.
"""
