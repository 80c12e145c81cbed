"""What can be done, whoever asks for it: every service, built once, by name, on the stores."""

from collections.abc import Mapping, Sequence

from server.clock import StoreClock
from server.metrics import Metrics
from server.rules.payments import Terms
from server.rules.variants import Variant
from server.services.alarms import Alarms
from server.services.billing import Billing
from server.services.caller import Caller
from server.services.following import Following
from server.services.guests import Joins
from server.services.lobbies import Lobbies
from server.services.payments import Payments
from server.services.play import Play
from server.services.proofs import Proofs
from server.services.seats import Seats
from server.services.survey import Survey
from server.settings import Settings
from server.store.subscription import Subscription
from server.stores import Stores


class UseCases:
    """The services of one process for the tables of `offered`. `joins`: whether a player may take
    one more new seat."""

    def __init__(
        self,
        settings: Settings,
        offered: Mapping[int, Variant],
        stores: Stores,
        subscription: Subscription,
        clock: StoreClock,
        metrics: Metrics,
        joins: Joins,
    ) -> None:
        terms = Terms(
            recipient=settings.alien_provider_address,
            network=settings.payment_network,
        )
        self.tables: Sequence[str] = [str(tier) for tier in offered]
        alarms = Alarms()
        self.following = Following(stores.lobbies, subscription, metrics)
        self.lobbies = Lobbies(stores.lobbies, self.following, alarms, clock, metrics)
        self.billing = Billing(stores.invoices, terms, settings.payment_token)
        self.seats = Seats(
            self.lobbies,
            stores.directory,
            self.billing,
            clock,
            offered,
            joins,
            takes_test=settings.allow_test_payments,
        )
        self.play = Play(self.lobbies)
        self.payments = Payments(self.lobbies, stores.invoices, terms, clock)
        self.proofs = Proofs(self.lobbies, stores.proofs)
        self.caller = Caller(self.lobbies, stores.timers, alarms, clock, stores.tables)
        self.survey = Survey(
            stores.directory, stores.ledger, stores.nodes, clock, metrics, stores.tables
        )
