"""How long somebody waits for the books."""

from typing import Final

PATIENCE_SECONDS: Final = 4
"""How long somebody waits for a connection, or has one to read with: routes answer within 5 s."""
PATIENCE_OF_WORK_SECONDS: Final = 30
"""The same for one piece of work, such as a migration or a command, for which no route waits."""
