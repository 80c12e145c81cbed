"""Runs the participants of one worker process: ramp-up, steady load, ramp-down."""

import asyncio
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

from server.load.meter import Meter
from server.load.participant import Participant
from server.load.scenario import Scenario

_STATS_INTERVAL_SECONDS: Final = 1.0
_LAG_PROBE_SECONDS: Final = 0.02


class LoadGenerator:
    """Runs some of a scenario's participants, each given with when it starts: in seconds from the
    start of the scenario, and in that order."""

    def __init__(
        self,
        scenario: Scenario,
        participants: Sequence[tuple[float, Participant]],
        meter: Meter,
        pipe: Connection,
    ) -> None:
        self._scenario = scenario
        self._participants = participants
        self._meter = meter
        self._pipe = pipe
        self._running: dict[Participant, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Play the scenario. The IntervalStats of each second is sent through the pipe, and that of
        the rest when all have left. SIGTERM starts the ramp-down early."""
        async with asyncio.TaskGroup() as group:
            measuring = [group.create_task(self._report()), group.create_task(self._probe_lag())]
            ramping_up = group.create_task(self._ramp_up(group))
            await self._hold()
            ramping_up.cancel()
            await self._ramp_down()
            for task in measuring:
                task.cancel()
        self._pipe.send(self._meter.take())

    async def _ramp_up(self, group: asyncio.TaskGroup) -> None:
        start_s = time.monotonic()
        for arrival_seconds, participant in self._participants:
            await asyncio.sleep(start_s + arrival_seconds - time.monotonic())
            self._running[participant] = group.create_task(participant.run())

    async def _hold(self) -> None:
        loop = asyncio.get_running_loop()
        terminated = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, terminated.set)
        if self._scenario.reconnect_at_seconds is not None:
            loop.call_later(self._scenario.reconnect_at_seconds, self._drop_all)
        try:
            async with asyncio.timeout(self._scenario.ramp_down_at_seconds):
                await terminated.wait()
        except TimeoutError:
            pass  # the time is up

    def _drop_all(self) -> None:
        for participant in self._running:
            participant.drop()

    async def _ramp_down(self) -> None:
        start_s = time.monotonic()
        pause_seconds = self._scenario.ramp_seconds / max(len(self._running), 1)
        async with asyncio.TaskGroup() as leaving:
            for position, (participant, playing) in enumerate(self._running.items()):
                await asyncio.sleep(start_s + position * pause_seconds - time.monotonic())
                playing.cancel()
                leaving.create_task(participant.leave())

    async def _report(self) -> None:
        next_s = time.monotonic()
        while True:
            next_s += _STATS_INTERVAL_SECONDS
            await asyncio.sleep(next_s - time.monotonic())
            self._pipe.send(self._meter.take())

    async def _probe_lag(self) -> None:
        while True:
            due_s = time.monotonic() + _LAG_PROBE_SECONDS
            await asyncio.sleep(_LAG_PROBE_SECONDS)
            self._meter.latency("tool_lag", (time.monotonic() - due_s) * 1000)
