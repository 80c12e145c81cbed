"""What the sockets count, for whoever publishes it."""

from collections import Counter
from dataclasses import dataclass, field

from protocol.errors import ErrorCode
from server.transport.close_reason import CloseReason


@dataclass(slots=True)
class Counts:
    """Since the start of the process. A delivery is queued when earlier bytes still waited for
    that client, else direct."""

    refused: Counter[ErrorCode] = field(default_factory=Counter)
    ended: Counter[CloseReason] = field(default_factory=Counter)
    failures: int = 0
    deliveries_direct: int = 0
    deliveries_queued: int = 0
