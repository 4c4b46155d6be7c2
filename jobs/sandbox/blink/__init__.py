"""The local stand-in of SIX bLink, written from its documents."""
