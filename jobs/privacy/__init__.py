"""What is personal or secret: how it is masked, kept, and read."""
