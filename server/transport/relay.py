"""The relay: what happens in the lobbies that this node has replicas of goes to their rooms."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Final

import structlog

from protocol.ids import lobby_namespace
from server.rules.events import GridArranged
from server.rules.views import Fields
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.tasks import end
from server.store.errors import StoreUnavailable
from server.store.log import Record, Snapshot
from server.transport.member import Member
from server.transport.rooms import Rooms
from server.transport.states import States

_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class Relay:
    """The listener of this node's lobby replicas."""

    def __init__(
        self,
        rooms: Rooms,
        states: States,
        clock: StoreClock,
        metrics: Metrics,
        dismiss: Callable[[str], None],
    ) -> None:
        self._rooms = rooms
        self._dismiss = dismiss
        self._outdated: dict[str, set[Member]] = {}
        self._states = states
        self._clock = clock
        self._metrics = metrics
        self._pushed = cache(metrics.events_pushed.labels)
        self._tasks: set[asyncio.Task[None]] = set()

    def happened(self, lobby_id: str, _snapshot: Snapshot, records: Sequence[Record]) -> None:
        """Broadcast to the room, in the very bytes that were committed. Whoever had their grid
        arranged by the server learns it from a state of their own."""
        namespace = lobby_namespace(lobby_id)
        outdated = self._outdated.get(namespace, ())
        helped: set[str] = set()
        for record in records:
            if record.name is not None and record.message is not None:
                self._rooms.broadcast(namespace, record.name, record.message.encode(), outdated)
                self._pushed(record.name).inc()
            if isinstance(record.event, GridArranged) and record.event.by_server:
                helped.add(record.event.alien_id)
        late_ms = self._clock.now_ms() - records[-1].position.at_ms
        self._metrics.push_latency.observe(max(0.0, late_ms / 1000))
        if helped:
            self._send_states(lobby_id, lambda member: member.alien_id in helped)

    def invoice_changed(self, lobby_id: str, alien_id: str) -> None:
        """Give the player, wherever in the room, the whole state: it has the invoice."""
        self._send_states(lobby_id, lambda member: member.alien_id == alien_id)

    def reset(self, lobby_id: str, _snapshot: Snapshot) -> None:
        """Give everyone in the room the whole state, and until then no event: it would follow on
        what they no longer know."""
        namespace = lobby_namespace(lobby_id)
        self._outdated.setdefault(namespace, set()).update(self._rooms.members(namespace))
        self._send_states(lobby_id, lambda _member: True)

    def gone(self, lobby_id: str) -> None:
        """Send everyone in the room away."""
        self._dismiss(lobby_namespace(lobby_id))

    async def close(self) -> None:
        """Send no more states."""
        await end(*self._tasks)

    def _send_states(self, lobby_id: str, wanted: Callable[[Member], bool]) -> None:
        members = [m for m in self._rooms.members(lobby_namespace(lobby_id)) if wanted(m)]
        task = asyncio.create_task(self._send_states_to(lobby_id, members))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_states_to(self, lobby_id: str, members: Collection[Member]) -> None:
        for member in members:
            while member in self._rooms.members(member.namespace):
                try:
                    invoice = await self._states.invoice(lobby_id, member.alien_id)
                except StoreUnavailable as error:
                    log.warning("state_not_sent_yet", lobby_id=lobby_id, error=str(error))
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    send_state(member, self._states.state(lobby_id, member.alien_id, invoice))
                    break
            self._is_up_to_date(member)

    def _is_up_to_date(self, member: Member) -> None:
        outdated = self._outdated.get(member.namespace)
        if outdated is not None:
            outdated.discard(member)
            if not outdated:
                del self._outdated[member.namespace]


def send_state(member: Member, state: Fields | None) -> None:
    """Send a state, if there is one, to a member that is still there."""
    if state is not None:
        member.send_event("lobby_state", state)
