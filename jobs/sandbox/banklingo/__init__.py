"""The local stand-in of BankLingo, written from its documents."""
