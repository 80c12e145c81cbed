"""What connections cost: `python -m tests.bench.connections [SOCKETS...]`.

First the processor time of a visit: a client connects to a namespace of its own and disconnects,
while few or many other namespaces are in use. Then the memory of so many players who only wait, in
namespaces of ten, beside as many sockets in the root namespace of python-socketio with its
defaults. A line is added to tests/bench/results.jsonl.

All clients are in this process, and each server is one process: `ulimit -n` bounds them both.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from tests.bench.fanout.clients import FanoutClients
from tests.bench.fanout.connection import Connection, Unexpected
from tests.bench.fanout.contenders import OURS, STOCK, Contender, open_engineio
from tests.bench.fanout.results import append_line
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import Shape, namespace

SETTLING_SECONDS: Final = 6.0  # from the last join until the memory is measured
FEW_NAMESPACES: Final = 10
MANY_NAMESPACES: Final = 10_000
VISITS: Final = 300


def join_root(port: int, _room: str) -> Connection:
    """Connect to the root namespace, whatever the room. Raises Unexpected if it is refused."""
    connection = open_engineio(port)
    connection.send(b'40{"token":"p"}')
    answer = connection.message()
    if not answer.startswith(b"40{"):
        raise Unexpected(answer)
    return connection


STOCK_ROOT: Final = replace(STOCK, join=join_root)


@dataclass(frozen=True, slots=True)
class Visits:
    """The server's processor time for one visit, in milliseconds, with so many other namespaces in
    use."""

    namespaces: int
    cpu_ms: float


def idle_bytes(contender: Contender, sockets: int) -> float:
    """By how many bytes the server's process grows for each of so many sockets that wait."""
    with ServerProcess(contender.command, core=None) as server:
        before = server.memory_bytes()
        with FanoutClients(contender, Shape(sockets, room_size=10), server) as clients:
            end_s = time.monotonic() + SETTLING_SECONDS
            while time.monotonic() < end_s:
                clients.answer_pings()
                time.sleep(0.01)
            return (server.memory_bytes() - before) / sockets


def visit_costs(contender: Contender, namespaces: int, visits: int) -> Visits:
    """So many visits, one after the other, while so many other namespaces have a client each."""
    with (
        ServerProcess(contender.command, core=None) as server,
        FanoutClients(contender, Shape(namespaces, room_size=1), server) as others,
    ):
        before = server.cpu_time()
        for number in range(visits):
            others.answer_pings()
            contender.join(server.port, namespace(namespaces + number)).socket.close()
        # Once the next one is in, the last one has been dealt with, or nearly so.
        contender.join(server.port, namespace(namespaces + visits)).socket.close()
        cpu_seconds = server.cpu_time().since(before).total_seconds
    return Visits(namespaces, round(cpu_seconds / visits * 1000, 3))


def compare_memory(sockets: int) -> dict[str, float]:
    """Print and return the bytes that each of so many sockets takes."""
    ours, stock = idle_bytes(OURS, sockets), idle_bytes(STOCK_ROOT, sockets)
    sys.stdout.write(
        f"{sockets} sockets: ours {ours:,.0f} bytes each, python-socketio {stock:,.0f}: "
        f"{ours / stock:.2f} times\n"
    )
    return {"sockets": sockets, "ours_bytes": round(ours), "stock_bytes": round(stock)}


def compare_visits(contender: Contender) -> list[Visits]:
    """Print and return what a visit costs with few namespaces and with many."""
    both = [visit_costs(contender, count, VISITS) for count in (FEW_NAMESPACES, MANY_NAMESPACES)]
    for one in both:
        sys.stdout.write(
            f"{contender.name} with {one.namespaces} namespaces: {one.cpu_ms} ms for a client that "
            "connects and is gone again\n"
        )
    return both


def main(arguments: Sequence[str]) -> None:
    """Measure, by default with 1,000 and with 19,500 sockets, and add a line to the results."""
    visits = {one.name: compare_visits(one) for one in (OURS, STOCK)}
    memory = [compare_memory(int(sockets)) for sockets in arguments or ("1000", "19500")]
    append_line(
        "connections",
        {
            "memory": memory,
            "visits": {name: [asdict(one) for one in both] for name, both in visits.items()},
        },
    )


if __name__ == "__main__":
    main(sys.argv[1:])
