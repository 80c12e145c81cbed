"""What became of the games: read from the store, and compared with what their followers
received."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.rules.events import GameFinished, GameStarted, NumberCalled
from server.rules.lobby import Lobby
from server.store.log import Record
from server.store.replay import replay
from tests.support.game import Node
from tests.support.replays import texts
from tests.system.faults.follower import Data, Follower


@dataclass(slots=True)
class Tally:
    """Sums over games. Each number called must be the next of the order that the seed fixed:
    `repeated` and `skipped` count the others. `lost` and `doubled` count what followers missed,
    and received twice, out of order or otherwise than it stands in the log."""

    faults: Counter[str] = field(default_factory=Counter)
    games: int = 0
    won: int = 0
    calls: int = 0
    repeated: int = 0
    skipped: int = 0
    lost: int = 0
    doubled: int = 0
    late_ms: list[float] = field(default_factory=list)

    @property
    def worst_delay_seconds(self) -> float:
        """The greatest delay of a call after it was due."""
        return max(self.late_ms, default=0.0) / 1000

    @property
    def wrong(self) -> int:
        """How much went wrong."""
        return self.repeated + self.skipped + self.lost + self.doubled


async def judge(node: Node, lobby_id: str, tally: Tally) -> list[Record]:
    """Add a finished game to the tally. What a server can never write is asserted: a log that
    does not hold, two ends, a state that is not what the log leads to."""
    kept, log = await node.store.texts_with_log(lobby_id)
    steps = list(replay(log, kept[0]["hash"]))
    assert texts(steps[-1]) == kept
    records, lobby = [step.record for step in steps], steps[-1].lobby
    assert [type(r.event) for r in records].count(GameFinished) == 1
    assert isinstance(records[-1].event, GameFinished)
    tally.games += 1
    tally.won += lobby.winner is not None
    _count_calls(lobby, tally)
    tally.late_ms += _late_ms(records, lobby.variant.call_interval_ms)
    return records


def events_for_room(records: Sequence[Record]) -> list[tuple[str, Data]]:
    """What everyone in the room receives of a game: each event with its data."""
    return [(r.name, json.loads(r.message or "")) for r in records if r.name is not None]


def compare(follower: Follower, records: Sequence[Record], tally: Tally) -> None:
    """Add what a follower of the game received to the tally: it must be the log, each event once
    and in order."""
    rest = list(follower.received)
    for event in events_for_room(records):
        if rest[:1] == [event]:
            rest.pop(0)
        else:
            tally.lost += 1
    tally.doubled += len(rest)


def _count_calls(lobby: Lobby, tally: Tally) -> None:
    tally.calls += len(lobby.called)
    tally.repeated += len(lobby.called) - len(set(lobby.called))
    due = lobby.order[: len(lobby.called)]
    tally.skipped += sum(found != wanted for found, wanted in zip(lobby.called, due, strict=True))


def _late_ms(records: Sequence[Record], interval_ms: int) -> list[float]:
    """How late the calls were. None was made up for in a hurry: what is due next is one interval
    after what was due, or after an outage one interval after the call."""
    late, due_ms = [], None
    for record in records:
        if isinstance(record.event, NumberCalled) and due_ms is not None:
            late.append(record.position.at_ms - due_ms)
            base_ms = due_ms if late[-1] < interval_ms else record.position.at_ms
            assert abs(record.event.next_call_at - base_ms - interval_ms) <= 1
        if isinstance(record.event, GameStarted | NumberCalled):
            due_ms = record.event.next_call_at
    return late
