"""Named wrong versions of the program; each must be caught, or the tests prove nothing."""
