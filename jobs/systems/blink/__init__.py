"""SIX bLink, Customer Management: link a row to a customer that the bank has, keep its contacts and address as given.

Nothing here creates a customer: bLink has no such operation. Facts come from SIX's page "Customer Management" and from
the OpenWealth specification 1.2.1 that it follows; `docs/blink.md` lists what they leave open.
"""
