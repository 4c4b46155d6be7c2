"""The real engine against a model of the target, on virtual time, with seeded faults and crashes."""
