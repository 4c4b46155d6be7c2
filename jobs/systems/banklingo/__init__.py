"""BankLingo: create the client, wait for a person's approval; and, as another job, decide about clients.

Facts come from the vendor's page "Clients API" and the pages of the single commands; `docs/banklingo.md` lists what
they leave open and how each gap is handled.
"""
