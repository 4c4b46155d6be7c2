"""A run's folder as evidence: written whole, hashed, chained, signed, and checked again."""
