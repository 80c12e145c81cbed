"""What is measured and logged of a commit: how late a call was, and how a game ended."""

from collections.abc import Sequence

import structlog

from server.rules.events import BeaconMixed, GameFinished, NumberCalled
from server.rules.lobby import Lobby
from server.runtime.metrics import Metrics
from server.store.log import Record, Snapshot

log = structlog.get_logger(__name__)


def report(before: Snapshot, after: Lobby, records: Sequence[Record], metrics: Metrics) -> None:
    """Measure and log what a commit of this node led to."""
    for record in records:
        match record.event:
            case NumberCalled() if (due_ms := _call_due(before)) is not None:
                late_ms = record.position.at_ms - due_ms
                metrics.call_jitter.observe(max(0.0, late_ms / 1000))
            case BeaconMixed(round=round) if after.beacon is not None:
                late_ms = record.position.at_ms - after.beacon.chain.time_ms(round)
                metrics.beacon_delay.observe(max(0.0, late_ms / 1000))
            case GameFinished(outcome=outcome, finished_at=finished_at):
                if outcome == "voided" and _is_beacon_missed(before, finished_at):
                    metrics.beacon_missed.inc()
                _log_end(after, record)


def _call_due(before: Snapshot) -> int | None:
    """When a number was due by time alone (Unix ms); None if a beacon was waited for."""
    lobby = before.lobby
    return None if lobby is None or lobby.awaited is not None else lobby.next_call_at


def _is_beacon_missed(before: Snapshot, finished_at: int) -> bool:
    """Whether a game waited for its beacon to the end of its patience: an operator may have voided
    it sooner."""
    lobby = before.lobby
    if lobby is None or lobby.awaited is None:
        return False
    return finished_at >= (lobby.started_at or 0) + lobby.awaited.patience_ms


def _log_end(lobby: Lobby, record: Record) -> None:
    log.info(
        "game_finished",
        lobby_id=lobby.lobby_id,
        outcome=lobby.outcome,
        winner=lobby.winner,
        pattern=lobby.pattern,
        pot=lobby.pot,
        players=len(lobby.players),
        calls=len(lobby.called),
        seconds=round((record.position.at_ms - lobby.created_at) / 1000, 3),
        events=record.position.seq,
    )
