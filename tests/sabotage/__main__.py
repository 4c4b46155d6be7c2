"""python -m tests.sabotage: a table of the wrong versions and what caught each; ends with 1 when one was not caught."""

import sys
import time

from .variants import VARIANTS


def main() -> int:
    """Runs every check on the real code, and the right check on each variant."""
    missed = 0
    for check in sorted({variant.check for variant in VARIANTS}, key=lambda check: check.__name__):
        found = check()
        missed += found is not None
        show(f"the real code: {check.__name__:25} {found or 'passes'}")
    for variant in VARIANTS:
        began = time.perf_counter()
        with variant.patch():
            found = variant.check()
        missed += found is None
        seconds = time.perf_counter() - began
        show(f"{variant.name:40} {variant.check.__name__:14} {seconds:5.1f} s  {found or 'NOT CAUGHT'}")
    return 1 if missed else 0


def show(line: str) -> None:
    """One line for the reader."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
