"""A log that only grows, and that shows it: Merkle trees, checkpoints, tiles, proofs."""
