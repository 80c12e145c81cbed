"""The people of one process: they come, they stay, they leave."""

import asyncio
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

from server.load.meter import Meter
from server.load.participant import Participant
from server.load.plan import Plan

TALLY_SECONDS: Final = 1.0
_LAG_PROBE_SECONDS: Final = 0.02


class Crowd:
    """Some of a plan's people, each with the second at which they come."""

    def __init__(
        self,
        plan: Plan,
        people: Sequence[tuple[float, Participant]],
        meter: Meter,
        pipe: Connection,
    ) -> None:
        self._plan = plan
        self._people = people
        self._meter = meter
        self._pipe = pipe
        self._present: dict[Participant, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Play the plan. Every second a Tally goes into the pipe, a last one when everyone has
        left. SIGTERM sends everyone home early."""
        async with asyncio.TaskGroup() as group:
            measuring = [group.create_task(self._tell()), group.create_task(self._probe_lag())]
            arriving = group.create_task(self._arrive(group))
            await self._stay()
            arriving.cancel()
            await self._depart()
            for task in measuring:
                task.cancel()
        self._pipe.send(self._meter.take())

    async def _arrive(self, group: asyncio.TaskGroup) -> None:
        start_s = time.monotonic()
        for arrival_seconds, participant in self._people:
            await asyncio.sleep(start_s + arrival_seconds - time.monotonic())
            self._present[participant] = group.create_task(participant.run())

    async def _stay(self) -> None:
        loop = asyncio.get_running_loop()
        sent_home = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, sent_home.set)
        if self._plan.reconnect_at_seconds is not None:
            loop.call_later(self._plan.reconnect_at_seconds, self._drop_all)
        try:
            async with asyncio.timeout(self._plan.ramp_seconds + self._plan.duration_seconds):
                await sent_home.wait()
        except TimeoutError:
            pass  # the plan is fulfilled

    def _drop_all(self) -> None:
        for participant in self._present:
            participant.drop()

    async def _depart(self) -> None:
        start_s = time.monotonic()
        pause_seconds = self._plan.ramp_seconds / max(len(self._present), 1)
        async with asyncio.TaskGroup() as leaving:
            for position, (participant, playing) in enumerate(self._present.items()):
                await asyncio.sleep(start_s + position * pause_seconds - time.monotonic())
                playing.cancel()
                leaving.create_task(participant.leave())

    async def _tell(self) -> None:
        next_s = time.monotonic()
        while True:
            next_s += TALLY_SECONDS
            await asyncio.sleep(next_s - time.monotonic())
            self._pipe.send(self._meter.take())

    async def _probe_lag(self) -> None:
        while True:
            due_s = time.monotonic() + _LAG_PROBE_SECONDS
            await asyncio.sleep(_LAG_PROBE_SECONDS)
            self._meter.latency("tool_lag", (time.monotonic() - due_s) * 1000)
