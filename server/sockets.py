"""The sockets' side: the rooms, the doors to them, and what is pushed through."""

from collections.abc import Mapping

from protocol.ids import FRONT_DESK, namespace_lobby
from server.clock import StoreClock
from server.limits import socket_limits
from server.metrics import Metrics
from server.rules.variants import Variant
from server.services.board import Board
from server.settings import Settings
from server.store.subscription import Subscription
from server.stores import Stores
from server.transport.counts import Counts
from server.transport.front_desk import FrontDesk, Listing
from server.transport.gateway import Gateway
from server.transport.lobby_room import LobbyRoom
from server.transport.member import Door
from server.transport.relay import Relay
from server.transport.resuming import Resuming
from server.transport.rooms import Rooms
from server.transport.states import States
from server.transport.token_check import TokenCheck
from server.transport.tokens import Tokens
from server.transport.turnstile import Turnstile
from server.use_cases import UseCases


class Sockets:
    """The sockets of one process. `check` knows the players."""

    def __init__(
        self,
        settings: Settings,
        offered: Mapping[int, Variant],
        stores: Stores,
        subscription: Subscription,
        use_cases: UseCases,
        check: TokenCheck,
        turnstile: Turnstile,
        clock: StoreClock,
        metrics: Metrics,
    ) -> None:
        self.counts = Counts()
        rooms = Rooms()
        following, seats = use_cases.following, use_cases.seats
        states = States(following, use_cases.billing)
        self.relay = Relay(rooms, states, clock, metrics, lambda room: self.gateway.dismiss(room))
        following.audience = self.relay
        listing = Listing(rooms)
        self.board = Board(
            stores.lobbies,
            stores.directory,
            subscription,
            use_cases.tables,
            listing.changed,
            lambda: listing.start_over(self.board),
        )
        front_desk = FrontDesk(self.board, listing, seats, offered)
        lobby_room = LobbyRoom(
            following, Resuming(following, stores.lobbies), states, use_cases.play, seats
        )

        def door(namespace: str) -> Door | None:
            if namespace == FRONT_DESK:
                return front_desk
            return None if namespace_lobby(namespace) is None else lobby_room

        self.gateway = Gateway(
            doors=door,
            tokens=Tokens(check, clock.now_ms),
            limits=socket_limits(settings),
            rooms=rooms,
            counts=self.counts,
            turnstile=turnstile,
        )
