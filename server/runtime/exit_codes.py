"""What the exit codes of a command mean; 0 is success."""

from typing import Final

FAILED: Final = 1
BAD_SETTINGS: Final = 2
"""The settings, or the options of the command, are wrong: to start it again is of no use."""
