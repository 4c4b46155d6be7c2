"""One run: what it is given and what it holds, what is checked before it sends, how it is stopped."""
