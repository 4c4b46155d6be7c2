"""The local stand-in of Omnumi, written from its documents."""
