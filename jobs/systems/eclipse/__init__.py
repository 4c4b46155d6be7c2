"""Eclipse Conductor: create the customer, run KYC, wait for the decision, create the wallet.

Facts come from the vendor's page "Customer Management"; `docs/eclipse.md` lists what it leaves open and how
each gap is handled.
"""
