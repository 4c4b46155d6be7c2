"""The local stand-in of Azakaw, written from its documents."""
