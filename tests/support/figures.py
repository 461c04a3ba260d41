"""Figures of a run of faults, for the page that reports them; `make faults` shows them."""

import sys


def report(line: str) -> None:
    """Print one line about what was done and found."""
    sys.stdout.write(f"{line}\n")
