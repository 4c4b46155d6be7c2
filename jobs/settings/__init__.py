"""What the operator chose, and where each choice came from."""
