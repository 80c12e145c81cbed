"""What the metrics watch: gauges and counters that parts of the server keep anyway."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping

from server.outside.drand import Drand
from server.runtime.metrics import Metrics, Values
from server.services.cluster_stats import ClusterStats
from server.services.replicas import LobbyReplicas
from server.services.tick_scheduler import TickScheduler
from server.store.connection import Connection
from server.store.monitor import StoreMonitor
from server.store.subscription import Subscription
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.counts import Counts
from server.transport.gateway import Gateway


def watch(
    metrics: Metrics,
    *,
    gateway: Gateway,
    counts: Counts,
    replicas: LobbyReplicas,
    max_sockets: int,
    scheduler: TickScheduler,
    limiters: Mapping[str, ConcurrencyLimiter],
    cluster_stats: ClusterStats,
    connection: Connection,
    monitor: StoreMonitor,
    subscription: Subscription,
    beacon: Drand | None,
    is_leaving: Callable[[], bool],
) -> None:
    """Publish what these parts count. `is_leaving`: whether another process serves in place of this
    one, which no longer looks for what is due."""
    _watch_sockets(metrics, gateway, counts, replicas, max_sockets)
    _watch_cluster(metrics, cluster_stats)
    _watch_inspection(metrics, monitor)
    _watch_store(metrics, connection, subscription)
    _watch_work(metrics, scheduler, limiters, beacon, is_leaving)


def _watch_sockets(
    metrics: Metrics, gateway: Gateway, counts: Counts, replicas: LobbyReplicas, max_sockets: int
) -> None:
    metrics.watch(
        "fair_bingo_sockets",
        "Open connections.",
        (),
        lambda: _one(len(gateway.eio.sockets)),
    )
    metrics.watch(
        "fair_bingo_max_sockets",
        "Connections that this node takes; 0: no limit.",
        (),
        lambda: _one(max_sockets),
    )
    metrics.watch(
        "fair_bingo_connections_ended_total",
        "Connections that ended, by why.",
        ("reason",),
        lambda: {(reason.value,): count for reason, count in counts.ended.items()},
    )
    metrics.watch(
        "fair_bingo_refusals_total",
        "Refused handshakes, connects and commands of sockets, by code.",
        ("code",),
        lambda: {(code.value,): count for code, count in counts.refused.items()},
    )
    metrics.watch(
        "fair_bingo_socket_writes_total",
        "Frames written, straight to an idle connection or behind earlier ones.",
        ("path",),
        lambda: {
            ("direct",): counts.deliveries_direct,
            ("queued",): counts.deliveries_queued,
        },
    )
    metrics.watch(
        "fair_bingo_failures_total",
        "Errors of our own that a client met as `internal`.",
        (),
        lambda: _one(counts.failures),
    )
    metrics.watch(
        "fair_bingo_lobby_replicas",
        "Lobbies that this node has sockets for.",
        ("tier", "status"),
        lambda: _by_tier_and_status(replicas),
    )


def _watch_cluster(metrics: Metrics, cluster_stats: ClusterStats) -> None:
    metrics.watch(
        "fair_bingo_lobbies",
        "Lobbies in the store, the same on every node: forming, or in play.",
        ("tier", "phase"),
        cluster_stats.lobbies,
        across="max",
    )
    metrics.watch(
        "fair_bingo_owed_coins",
        "Coins that are owed to players and not settled, the same on every node.",
        ("tier", "kind"),
        cluster_stats.owed_coins,
        across="max",
    )
    metrics.watch(
        "fair_bingo_oldest_debt_age_seconds",
        "Age of the oldest debt that is not settled, the same on every node.",
        ("tier",),
        cluster_stats.oldest_debt_seconds,
        across="max",
    )
    metrics.watch(
        "fair_bingo_archive_lag_seconds",
        "Age of the oldest game that is over and not in the books, the same on every node.",
        ("tier",),
        cluster_stats.archive_lag_seconds,
        across="max",
    )
    metrics.watch(
        "fair_bingo_cluster_stats_timestamp_seconds",
        "When lobbies and debts were last looked up, in Unix time.",
        (),
        lambda: _one(cluster_stats.at_ms / 1000),
        across="min",
    )


def _watch_inspection(metrics: Metrics, monitor: StoreMonitor) -> None:
    metrics.watch(
        "fair_bingo_store_memory_bytes",
        "What the store uses of its memory, by the last look, at most a minute ago.",
        (),
        lambda: _found(monitor, "memory_bytes"),
        across="max",
    )
    metrics.watch(
        "fair_bingo_store_memory_limit_bytes",
        "What the store may use of it: its `maxmemory`, or else its machine's.",
        (),
        lambda: _found(monitor, "memory_limit_bytes"),
        across="max",
    )
    metrics.watch(
        "fair_bingo_store_trusted",
        "1 while the store, by the last look, may take payments.",
        (),
        lambda: _one(monitor.trusted),
        across="min",
    )
    metrics.watch(
        "fair_bingo_store_primary",
        "1 while the store, by the last look, is a primary.",
        (),
        lambda: _one(monitor.findings is not None and monitor.findings.role == "primary"),
    )
    metrics.watch(
        "fair_bingo_store_replicas",
        "Replicas that are connected and in step, by the last look.",
        (),
        lambda: _one(0 if monitor.findings is None else monitor.findings.replicas or 0),
    )
    metrics.watch(
        "fair_bingo_store_replicas_wanted",
        "Replicas that are waited for: STORE_REPLICAS.",
        (),
        lambda: _one(monitor.replicas),
    )


def _watch_store(metrics: Metrics, connection: Connection, subscription: Subscription) -> None:
    metrics.watch(
        "fair_bingo_store_commands_waiting",
        "Commands that wait to be sent to the store.",
        (),
        lambda: _one(connection.waiting),
    )
    metrics.watch(
        "fair_bingo_subscription_up",
        "1 while the store's messages reach this node.",
        (),
        lambda: _one(subscription.alive),
        across="min",
    )


def _watch_work(
    metrics: Metrics,
    scheduler: TickScheduler,
    limiters: Mapping[str, ConcurrencyLimiter],
    beacon: Drand | None,
    is_leaving: Callable[[], bool],
) -> None:
    metrics.watch(
        "fair_bingo_scheduler_up",
        "1 while this node looks for what is due.",
        (),
        lambda: {} if is_leaving() else _one(scheduler.alive),
        across="min",
    )
    metrics.watch(
        "fair_bingo_ticks_in_progress",
        "Lobbies that are due, or in a moment, and that this node is working on.",
        (),
        lambda: _one(scheduler.ticking),
    )
    metrics.watch(
        "fair_bingo_turns_waiting",
        "Commands and connects of players, and payments, that wait for their turn.",
        ("kind",),
        lambda: {(kind,): limiter.waiting for kind, limiter in limiters.items()},
    )
    metrics.watch(
        "fair_bingo_beacon_ahead_seconds",
        "By how much the beacon is ahead of the store's clock; above 0 that clock is behind.",
        (),
        lambda: _one(0 if beacon is None else beacon.ahead_ms / 1000),
        across="max",
    )
    metrics.watch(
        "fair_bingo_tasks", "Tasks of the event loop.", (), lambda: _one(len(asyncio.all_tasks()))
    )


def _one(value: float) -> Values:
    return {(): value}


def _found(monitor: StoreMonitor, name: str) -> Values:
    """What the last inspection found by that name, if the store reported it."""
    value = getattr(monitor.findings, name, None)
    return {} if value is None else {(): value}


def _by_tier_and_status(replicas: LobbyReplicas) -> Values:
    return Counter((str(tier), status) for tier, status in replicas.statuses())
