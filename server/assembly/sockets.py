"""The sockets' side: the rooms, the handlers of their namespaces, and what is pushed to them."""

from collections.abc import Mapping

from protocol.ids import FRONT_DESK, namespace_lobby, table_tier
from server.assembly.stores import Stores
from server.assembly.use_cases import UseCases
from server.rules.variants import Variant
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.services.forming_lobbies import FormingLobbies
from server.services.payout_news import PayoutNews
from server.store.subscription import Subscription
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.counts import Counts
from server.transport.front_desk import FrontDesk, LobbyListBroadcaster
from server.transport.gateway import Gateway
from server.transport.limits import SocketLimits
from server.transport.lobby_room import LobbyRoom
from server.transport.member import NamespaceHandler
from server.transport.relay import Relay
from server.transport.resuming import Resuming
from server.transport.rooms import Rooms
from server.transport.states import States
from server.transport.token_check import TokenCheck
from server.transport.tokens import Tokens


class Sockets:
    """The sockets of one process. `check` checks the tokens of players. Lobbies are listed at most
    once in `listing_seconds`."""

    def __init__(
        self,
        limits: SocketLimits,
        offered: Mapping[int, Variant],
        stores: Stores,
        subscription: Subscription,
        use_cases: UseCases,
        check: TokenCheck,
        limiter: ConcurrencyLimiter,
        clock: StoreClock,
        metrics: Metrics,
        listing_seconds: float,
    ) -> None:
        self.counts = Counts()
        rooms = Rooms()
        replicas, seats = use_cases.replicas, use_cases.seats
        states = States(replicas, use_cases.billing)
        listing = LobbyListBroadcaster(rooms, listing_seconds)
        self.forming_lobbies = FormingLobbies(
            stores.lobbies,
            stores.directory,
            subscription,
            lambda: [t for t in stores.tables.known if table_tier(t) in offered],
            listing.changed,
            lambda: listing.start_over(self.forming_lobbies),
        )
        stores.tables.on_found.append(self.forming_lobbies.tables_found)
        tokens = Tokens(check, clock.now_ms)
        self.front_desk = FrontDesk(
            self.forming_lobbies,
            listing,
            seats,
            tokens,
            offered,
            lambda notify: PayoutNews(subscription, lambda: stores.tables.known, notify),
        )
        stores.tables.on_found.append(self.front_desk.tables_found)
        resuming = Resuming(replicas, stores.lobbies)
        self.lobby_room = LobbyRoom(replicas, resuming, states, use_cases.play, seats, tokens)

        def handler(namespace: str) -> NamespaceHandler | None:
            if namespace == FRONT_DESK:
                return self.front_desk
            return None if namespace_lobby(namespace) is None else self.lobby_room

        self.gateway = Gateway(
            handlers=handler,
            tokens=tokens,
            limits=limits,
            rooms=rooms,
            counts=self.counts,
            limiter=limiter,
            standing=use_cases.operator_watch.standing,
        )
        watch = use_cases.operator_watch
        watch.on_announcement = self.gateway.announce
        watch.on_tiers = lambda: self.forming_lobbies.close_tiers(watch.closed)
        self.relay = Relay(rooms, states, clock, metrics, self.gateway.dismiss)
        replicas.listener = self.relay
