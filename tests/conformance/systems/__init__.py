"""One battery of tests for every system; what a system adds is one entry in `subjects.py`."""
