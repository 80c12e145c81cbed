"""What can be done, whoever asks for it: every service, built once, by name, on the stores."""

from collections.abc import Mapping

from protocol.ids import tier_tables
from server.assembly.stores import Stores
from server.rules.variants import Variant
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.services.admissions import Admissions
from server.services.alarms import Alarms
from server.services.beacons import BeaconMixer, ChainSource, beacon_of_lobbies
from server.services.billing import Billing
from server.services.cluster_stats import ClusterStats
from server.services.limits import SpendingLimits
from server.services.lobbies import Lobbies
from server.services.operator_history import KeptEntries, OperatorHistory
from server.services.operator_looks import OperatorLooks
from server.services.operator_watch import OperatorWatch
from server.services.operators import Operators
from server.services.past import Past
from server.services.payments import Payments
from server.services.play import Play
from server.services.proofs import Proofs
from server.services.records import Records
from server.services.replicas import LobbyReplicas
from server.services.seat_requests import MayJoin
from server.services.seats import Seats
from server.services.tick_scheduler import TickScheduler
from server.services.tiers import Tier
from server.store.subscription import Subscription


class UseCases:
    """The services of one process for the tables of `offered`. `joins`: whether a player may take
    one more new seat. `past`: what has left the store, and `kept_actions` what operators did; None
    without books. `beacon`: where the rounds of beacons come from; None without one."""

    def __init__(
        self,
        settings: Settings,
        offered: Mapping[int, Variant],
        stores: Stores,
        subscription: Subscription,
        clock: StoreClock,
        metrics: Metrics,
        joins: MayJoin,
        past: Past | None = None,
        beacon: ChainSource | None = None,
        kept_actions: KeptEntries | None = None,
    ) -> None:
        alarms = Alarms()
        of_lobbies = beacon_of_lobbies(beacon, round(settings.beacon_patience_seconds * 1000))
        self.replicas = LobbyReplicas(stores.lobbies, subscription, metrics)
        self.lobbies = Lobbies(stores.lobbies, self.replicas, alarms, clock, metrics)
        self.billing = Billing(stores.invoices, stores.terms, settings.coin_decimals)
        admissions = Admissions(stores.restrictions, clock)
        self.limits = SpendingLimits(
            stores.limits,
            stores.past_ledger,
            past,
            stores.tables,
            clock,
            settings.limit_cooling_seconds,
        )
        self.seats = Seats(
            self.lobbies,
            stores.directory,
            self.billing,
            admissions,
            clock,
            self.limits,
            [
                Tier(
                    buy_in_amount,
                    variant,
                    tier_tables(buy_in_amount, settings.tables_per_tier),
                    takes_test=settings.allow_test_payments,
                    beacon=of_lobbies,
                )
                for buy_in_amount, variant in offered.items()
            ],
            stores.tables,
            joins,
            stores.timings.look_seconds,
        )
        self.play = Play(self.lobbies)
        self.payments = Payments(
            self.lobbies, stores.invoices, stores.terms, admissions, self.limits, clock, past
        )
        self.records = Records(stores.lobbies, past)
        self.proofs = Proofs(self.lobbies, stores.proofs, past)
        self.operators = Operators(
            self.lobbies,
            stores.operator_log,
            stores.restrictions,
            stores.tables,
            clock,
            offered,
            past,
        )
        self.operator_history = OperatorHistory(stores.operator_log, kept_actions)
        self.operator_watch = OperatorWatch(
            stores.operator_log, stores.restrictions, stores.tables, subscription, clock
        )
        self.beacons = BeaconMixer(self.lobbies, beacon)
        self.scheduler = TickScheduler(
            self.lobbies,
            stores.timers,
            alarms,
            clock,
            stores.tables,
            self.beacons.wanted,
            stores.timings,
        )
        self.cluster_stats = ClusterStats(
            stores.directory,
            stores.ledger,
            stores.nodes,
            clock,
            metrics,
            stores.tables,
            stores.past_ledger,
            stores.past_games,
        )
        self.operator_looks = OperatorLooks(
            stores.lobbies,
            stores.directory,
            stores.restrictions,
            stores.tables,
            self.cluster_stats,
            clock,
            past,
        )
