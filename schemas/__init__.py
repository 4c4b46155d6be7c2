"""Data at rest: what every file and frame of muster looks like. Imports polars and pandera only."""
