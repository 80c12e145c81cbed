"""The events of one lobby as one participant receives them, across reconnects."""

from typing import Any

from server.load.call_schedule import CallSchedule
from server.load.meter import Meter


class RoomMeter:
    """Checks that every event comes once and in order, and measures its latency.

    `last_seq` is the `seq` of the last event that was received, or that a state included; None
    before the first message. `is_over` is whether the game has ended.
    """

    __slots__ = ("_live_from_ms", "_meter", "_schedule", "is_over", "last_seq")

    def __init__(self, meter: Meter, schedule: CallSchedule) -> None:
        self.last_seq: int | None = None
        self.is_over = False
        self._meter = meter
        self._schedule = schedule
        self._live_from_ms = 0.0

    def auth(self, token: str) -> dict[str, Any]:
        """The `auth` to join the lobby's namespace with, now: events that were stored before now
        are replayed, and their latency is not that of a push."""
        self._live_from_ms = self._meter.now_ms()
        return {"token": token} | ({} if self.last_seq is None else {"last_seq": self.last_seq})

    def receive(self, name: str, message: dict[str, Any]) -> bool:
        """Count and measure a message of the lobby's namespace. Returns whether it is an event of
        the room that was not received before."""
        if name == "lobby_state":
            self._take_state(message)
            return False
        if "seq" not in message:
            return False  # it is no event of the room: `draining`, `announcement`
        is_news = self._advance(message["seq"])
        if is_news:
            self._measure(name, message)
        self.is_over = self.is_over or name == "game_finished"
        return is_news

    def _take_state(self, state: dict[str, Any]) -> None:
        # After `last_seq` the events themselves have to come: those that a state skips are missed.
        seq = state["seq"]
        if self.last_seq is None or seq > self.last_seq:
            if self.last_seq is not None:
                self._meter.count("missed", seq - self.last_seq)
            self.last_seq = seq
        self.is_over = self.is_over or state["status"] == "finished"

    def _advance(self, seq: int) -> bool:
        last_seq = self.last_seq or 0
        if seq <= last_seq:
            self._meter.count("duplicates")
            return False
        if seq > last_seq + 1:
            self._meter.count("missed", seq - last_seq - 1)
        self.last_seq = seq
        return True

    def _measure(self, name: str, message: dict[str, Any]) -> None:
        at_ms, push_ms = message["at"], None
        self._meter.count("events")
        if at_ms >= self._live_from_ms:
            push_ms = self._meter.now_ms() - at_ms
            self._meter.latency("push", push_ms)
        if name == "status_changed" and message["status"] == "active":
            self._schedule.start(at_ms)
        elif name == "number_called":
            self._measure_call(message["index"], at_ms, push_ms)

    def _measure_call(self, index: int, at_ms: float, push_ms: float | None) -> None:
        late_ms = self._schedule.called(index, at_ms)
        if late_ms is None:
            return
        if push_ms is not None:
            self._meter.latency("late", late_ms + push_ms)
        self._meter.latency("jitter", abs(late_ms))
