"""What a long benchmark prints before its end."""

import sys


def report(line: str) -> None:
    """Print a line at once, also where the output goes to a file."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
