"""The state of a lobby, for one of those who look at it."""

from protocol.views import Invoice
from server.rules.lobby import Lobby
from server.rules.views import Fields, own_fields, patterns_view, public_fields
from server.services.billing import Billing
from server.services.replicas import LobbyReplicas
from server.store.log import LogPosition


class States:
    """The whole state of replicated lobbies, for their members.

    A player's invoice has to be fetched; the state itself is taken at the instant in which it is
    sent, so that no event that was sent before it is missing in it.
    """

    def __init__(self, replicas: LobbyReplicas, billing: Billing) -> None:
        self._replicas = replicas
        self._billing = billing

    async def invoice(self, lobby_id: str, alien_id: str) -> Invoice | None:
        """The last invoice of the player in a lobby that is replicated here. Raises
        StoreUnavailable."""
        snapshot = self._replicas.snapshot(lobby_id)
        return None if snapshot is None else await self._billing.invoice_of(snapshot, alien_id)

    def state(self, lobby_id: str, alien_id: str, invoice: Invoice | None) -> Fields | None:
        """The state of a lobby that has a replica here, at this instant, as the player may see
        it."""
        snapshot = self._replicas.snapshot(lobby_id)
        if snapshot is None or snapshot.lobby is None:
            return None
        return lobby_state(snapshot.lobby, snapshot.position, alien_id, invoice)


def lobby_state(
    lobby: Lobby, position: LogPosition, alien_id: str, invoice: Invoice | None
) -> Fields:
    """The whole state of a lobby as `alien_id` may see it, as `LobbyState` has it in JSON;
    `invoice` is theirs, if any."""
    state = public_fields(lobby, position.seq)
    state["patterns"] = patterns_view(lobby.variant)
    state["you"] = own_fields(lobby, alien_id, None if invoice is None else invoice.model_dump())
    state["at"] = position.at_ms
    return state
