"""Waiting for replicas: how many have to have a change before it is acknowledged."""

from dataclasses import dataclass, field
from typing import Any, Final

from hiredis import pack_command


@dataclass(frozen=True, slots=True)
class ReplicaWait:
    """So many replicas, which have so many seconds; none: no wait.

    `WAIT` covers all that its connection has written before. A replica that answers has it in
    memory and, with `appendfsync always`, in its file: it flushes that before it answers.
    """

    replicas: int = 0
    seconds: float = 1.0
    command: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        milliseconds = max(1, round(self.seconds * 1000))  # 0 would wait for ever
        packed = pack_command(("WAIT", self.replicas, milliseconds))  # type: ignore[arg-type]
        object.__setattr__(self, "command", packed)

    def __bool__(self) -> bool:
        return self.replicas > 0

    def missing(self, answer: Any) -> str | None:
        """Why that answer to `command` is not enough; None if it is. What was written may have
        arrived or not: nobody knows."""
        if isinstance(answer, Exception):
            return f"it is not known what the replicas have: {answer}"
        found = int(answer)
        return None if found >= self.replicas else f"{found} of {self.replicas} replicas have it"


NO_WAIT: Final = ReplicaWait()
