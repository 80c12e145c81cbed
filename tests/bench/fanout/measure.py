"""Servers side by side: each under as much work as it can do, for a slice of time in its turn."""

import resource
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tests.bench.fanout.audience import Audience
from tests.bench.fanout.contenders import Contender
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import Shape

WARM_UP_SLICES: Final = 2
SETTLING_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """What a server did in a slice. Processor times are those of its process, in microseconds for
    one event to one client; `client_cpu` is how much of its core the client needed."""

    deliveries_per_second: float
    user_us: float
    system_us: float
    client_cpu: float

    @property
    def cpu_us(self) -> float:
        """User and system together."""
        return self.user_us + self.system_us


def measure(
    contenders: Sequence[Contender],
    shape: Shape,
    *,
    slices: int,
    slice_seconds: float,
    server_core: int | None,
) -> dict[str, list[Run]]:
    """The runs of each contender by its name. All servers are there, with all their clients, from
    the beginning; only one works at a time, and they take turns, so that a machine that is slower
    for a while is slower for all."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(ServerProcess(contender.command, server_core))
            for contender in contenders
        ]
        audiences = [
            stack.enter_context(Audience(contender, shape, server))
            for contender, server in zip(contenders, servers, strict=True)
        ]
        stages = list(zip(contenders, servers, audiences, strict=True))
        runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
        for _ in range(WARM_UP_SLICES + slices):
            for contender, server, clients in stages:
                _settle(audiences)
                runs[contender.name].append(_slice(server, clients, shape.sockets, slice_seconds))
        return {name: all_runs[WARM_UP_SLICES:] for name, all_runs in runs.items()}


def _settle(audiences: Sequence[Audience]) -> None:
    # What came while others had their turn is not the work of this slice.
    for audience in audiences:
        audience.answer_pings()
    time.sleep(SETTLING_SECONDS)


def _slice(server: ServerProcess, clients: Audience, sockets: int, seconds: float) -> Run:
    before, client_before, start = server.cpu_time(), _own_cpu_seconds(), time.monotonic()
    deliveries = 0
    while True:  # until the server's clock, which counts hundredths of a second, has moved
        deliveries += clients.play(seconds) * sockets
        used = server.cpu_time().since(before)
        if used.user_seconds + used.system_seconds > 0:
            break
    lasted = time.monotonic() - start
    return Run(
        deliveries_per_second=deliveries / lasted,
        user_us=used.user_seconds / deliveries * 1e6,
        system_us=used.system_seconds / deliveries * 1e6,
        client_cpu=(_own_cpu_seconds() - client_before) / lasted,
    )


def _own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
