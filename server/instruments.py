"""What the metrics watch: gauges and counters that parts of the server keep anyway."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from server.metrics import Metrics, Values
from server.services.caller import Caller
from server.services.following import Following
from server.services.survey import Survey
from server.store.connection import Connection
from server.store.monitor import StoreMonitor
from server.store.subscription import Subscription
from server.transport.counts import Counts
from server.transport.gateway import Gateway
from server.transport.turnstile import Turnstile


def watch(
    metrics: Metrics,
    *,
    gateway: Gateway,
    counts: Counts,
    following: Following,
    max_sockets: int,
    caller: Caller,
    turnstiles: Mapping[str, Turnstile],
    survey: Survey,
    connection: Connection,
    monitor: StoreMonitor,
    subscription: Subscription,
) -> None:
    """Publish what these parts count."""
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
        "Connections that ended, by how.",
        ("ending",),
        lambda: {(ending.value,): count for ending, count in counts.ended.items()},
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
        "fair_bingo_followed_lobbies",
        "Lobbies that this node has sockets for.",
        ("tier", "status"),
        lambda: _by_tier_and_status(following),
    )
    metrics.watch(
        "fair_bingo_lobbies",
        "Lobbies in the store, the same on every node: forming, or in play.",
        ("tier", "phase"),
        survey.lobbies,
    )
    metrics.watch(
        "fair_bingo_owed_coins",
        "Coins that are owed to players and not settled, the same on every node.",
        ("tier", "kind"),
        survey.owed_coins,
    )
    metrics.watch(
        "fair_bingo_oldest_debt_age_seconds",
        "Age of the oldest debt that is not settled, the same on every node.",
        ("tier",),
        survey.oldest_debt_seconds,
    )
    metrics.watch(
        "fair_bingo_survey_timestamp_seconds",
        "When lobbies and debts were last looked up, in Unix time.",
        (),
        lambda: _one(survey.at_ms / 1000),
    )
    metrics.watch(
        "fair_bingo_caller_up",
        "1 while this node looks for what is due.",
        (),
        lambda: _one(caller.alive),
    )
    metrics.watch(
        "fair_bingo_ticks_in_progress",
        "Lobbies that are due, or in a moment, and that this node is working on.",
        (),
        lambda: _one(caller.ticking),
    )
    metrics.watch(
        "fair_bingo_turns_waiting",
        "Commands and connects of players, and payments, that wait for their turn.",
        ("kind",),
        lambda: {(kind,): turnstile.waiting for kind, turnstile in turnstiles.items()},
    )
    metrics.watch(
        "fair_bingo_store_commands_waiting",
        "Commands that wait to be sent to the store.",
        (),
        lambda: _one(connection.waiting),
    )
    metrics.watch(
        "fair_bingo_store_trusted",
        "1 while the store, by the last look, may be told of payments.",
        (),
        lambda: _one(monitor.trusted),
    )
    metrics.watch(
        "fair_bingo_subscription_up",
        "1 while the store's messages reach this node.",
        (),
        lambda: _one(subscription.alive),
    )
    metrics.watch(
        "fair_bingo_tasks", "Tasks of the event loop.", (), lambda: _one(len(asyncio.all_tasks()))
    )


def _one(value: float) -> Values:
    return {(): value}


def _by_tier_and_status(following: Following) -> Values:
    return Counter((str(tier), status) for tier, status in following.statuses())
