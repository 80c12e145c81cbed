"""Servers in turn: each does as much as it can for a slice of time."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tests.bench.fanout.clients import FanoutClients
from tests.bench.fanout.contenders import Contender
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import Shape

WARM_UP_SLICES: Final = 2
SETTLING_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Slice:
    """What a server did in a slice of time. Processor times are those of its process, in
    microseconds for one event to one client; `client_core_share` is how much of a core its clients
    took, of which 1 is all."""

    deliveries_per_second: float
    user_us: float
    system_us: float
    client_core_share: float

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
) -> dict[str, list[Slice]]:
    """So many slices of each contender by its name, all servers on that core; None: on any. All are
    started, with all their clients, at the beginning. Only one works at a time, and they take
    turns, so that a machine that is slower for a while is slower for all."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(ServerProcess(contender.command, server_core))
            for contender in contenders
        ]
        clients = [
            stack.enter_context(FanoutClients(contender, shape, server))
            for contender, server in zip(contenders, servers, strict=True)
        ]
        sides = list(zip(contenders, servers, clients, strict=True))
        slices_of: dict[str, list[Slice]] = {contender.name: [] for contender in contenders}
        for _ in range(WARM_UP_SLICES + slices):
            for contender, server, its_clients in sides:
                _settle(clients)
                slices_of[contender.name].append(
                    _slice(server, its_clients, shape.sockets, slice_seconds)
                )
        return {name: measured[WARM_UP_SLICES:] for name, measured in slices_of.items()}


def _settle(all_clients: Sequence[FanoutClients]) -> None:
    # What came while others had their turn is not the work of the next slice.
    for clients in all_clients:
        clients.answer_pings()
    time.sleep(SETTLING_SECONDS)


def _slice(server: ServerProcess, clients: FanoutClients, sockets: int, seconds: float) -> Slice:
    before, own_before, begun_s = server.cpu_time(), time.process_time(), time.monotonic()
    deliveries = 0
    while True:  # until the server's clock, which counts hundredths of a second, has moved
        deliveries += clients.play(seconds) * sockets
        used = server.cpu_time().since(before)
        if deliveries and used.user_seconds + used.system_seconds > 0:
            break
    lasted_seconds = time.monotonic() - begun_s
    return Slice(
        deliveries_per_second=deliveries / lasted_seconds,
        user_us=used.user_seconds / deliveries * 1e6,
        system_us=used.system_seconds / deliveries * 1e6,
        client_core_share=(time.process_time() - own_before) / lasted_seconds,
    )
