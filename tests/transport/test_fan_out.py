"""Everyone gets everything in its order, and who does not read is no burden to the others.

Each test runs on the event loop of the standard library and on uvloop, whose write buffers work
differently.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvloop

from server.transport.ending import Ending
from server.transport.frames import text_frame
from server.transport.limits import Rate, SocketLimits
from tests.support.wait import until
from tests.transport.hall import Server
from tests.transport.raw import RawClient

LIMIT_BYTES = 256 * 1024

Scenario = Callable[[Server], Awaitable[None]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario with a server of its own."""

    async def with_server(scenario: Scenario) -> None:
        server = Server(SocketLimits(client_buffer_bytes=LIMIT_BYTES, messages=Rate(0, 0)))
        await server.start()
        try:
            await scenario(server)
        finally:
            await server.stop()

    def run_scenario(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(with_server(scenario))

    return run_scenario


@asynccontextmanager
async def inside(
    server: Server, name: str, receive_buffer_bytes: int | None = None
) -> AsyncIterator[RawClient]:
    """A client that has joined `/hall`."""
    client = await RawClient.connect(server.port, receive_buffer_bytes=receive_buffer_bytes)
    try:
        await client.join("/hall", name)
        await client.packet()
        yield client
    finally:
        await client.close()


def member(server: Server, name: str) -> Any:
    (found,) = [one for one in server.hall.inside if one.alien_id == name]
    return found


async def events_until_end(client: RawClient, pause_seconds: float = 0.0) -> list[Any]:
    """What comes up to the event `end`; acknowledgements as their id."""
    received: list[Any] = []
    while True:
        packet = await client.packet()
        if packet.startswith("43"):
            received.append(int(packet.removeprefix("43/hall,").partition("[")[0]))
        else:
            event, data = json.loads(packet.removeprefix("42/hall,"))
            if event == "end":
                return received
            received.append(data["number"])
        if pause_seconds:
            await asyncio.sleep(pause_seconds)


def has_answered(server: Server, count: int) -> bool:
    return len(server.hall.commands) == count


def test_every_client_sees_exactly_its_sequence(run: Callable[[Scenario], None]) -> None:
    async def scenario(server: Server) -> None:
        dice = random.Random(7)
        async with inside(server, "a") as a, inside(server, "b") as b, inside(server, "c") as c:
            clients = {"a": a, "b": b, "c": c}
            readers = {
                "a": asyncio.create_task(events_until_end(a)),
                "b": asyncio.create_task(events_until_end(b, pause_seconds=0.001)),
                "c": asyncio.create_task(events_until_end(c, pause_seconds=0.0005)),
            }
            expected: dict[str, list[int]] = {name: [] for name in clients}
            acks = 0
            for number in range(2000):
                filling = "x" * dice.choice([10, 100, 200, 2000])
                data = json.dumps({"number": number, "filling": filling}).encode()
                kind = dice.random()
                if kind < 0.6:
                    server.rooms.broadcast("/hall", "news", data)
                    for numbers in expected.values():
                        numbers.append(number)
                elif kind < 0.9:
                    name = dice.choice("abc")
                    member(server, name).send("news", data)
                    expected[name].append(number)
                else:
                    name = dice.choice("abc")
                    acks += 1
                    clients[name].send(f'42/hall,{number}["echo"]')
                    expected[name].append(number)
                    await until(partial(has_answered, server, acks))
                    await asyncio.sleep(0)
                if dice.random() < 0.1:
                    await asyncio.sleep(0.001)
            server.rooms.broadcast("/hall", "end", b"{}")

            for name, reader in readers.items():
                assert await reader == expected[name]
            assert server.counts.deliveries_direct > 0

    run(scenario)


async def broadcast_until(server: Server, done: Callable[[], bool]) -> int:
    """Broadcast 8 kB at a time, at a pace that a reader can follow, and tell the most bytes that
    waited for anyone."""
    data = json.dumps({"number": 0, "filling": "x" * 8_000}).encode()
    most_bytes = 0
    for _ in range(20_000):
        if done():
            return most_bytes
        server.rooms.broadcast("/hall", "news", data)
        for one in server.hall.inside:
            most_bytes = max(most_bytes, one.session._transport.get_write_buffer_size())
        await asyncio.sleep(0.001)
    raise AssertionError("it never came true")


def test_who_does_not_read_costs_a_bounded_amount_and_is_cut_off(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(server: Server) -> None:
        async with (
            inside(server, "good") as good,
            inside(server, "stalled", receive_buffer_bytes=4096),
        ):
            reading = asyncio.create_task(events_until_end(good))

            most_bytes = await broadcast_until(
                server, lambda: server.counts.ended[Ending.TOO_SLOW] == 1
            )

            assert LIMIT_BYTES < most_bytes <= 4 * LIMIT_BYTES + 16_000
            assert [one.alien_id for one in server.hall.inside] == ["good"]
            await until(lambda: len(server.gateway.eio.sockets) == 1)
            server.rooms.broadcast("/hall", "end", b"{}")
            assert set(await reading) == {0}

    run(scenario)


def test_who_stays_above_the_limit_is_cut_off_a_moment_later(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "stalled", receive_buffer_bytes=4096):
            one = member(server, "stalled")
            while one.session._transport.get_write_buffer_size() <= 2 * LIMIT_BYTES:
                one.send("news", b"0" * 8_000)

            await until(lambda: server.gateway.eio.sockets == {})

            assert server.counts.ended[Ending.TOO_SLOW] == 1

    run(scenario)


def test_a_flood_to_who_does_not_read_is_cut_off_at_once(run: Callable[[Scenario], None]) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "stalled", receive_buffer_bytes=4096):
            one = member(server, "stalled")
            frame = text_frame(b"x" * 60_000)

            for _ in range(1000):  # 60 MB, and the loop does not turn once
                one.session.write(frame)

            waiting_bytes = one.session._transport.get_write_buffer_size()
            assert waiting_bytes <= 4 * LIMIT_BYTES + len(frame)
            await until(lambda: server.counts.ended[Ending.TOO_SLOW] == 1)
            await until(lambda: server.gateway.eio.sockets == {})

    run(scenario)


def test_a_burst_above_the_limit_does_not_cost_a_reader_its_place(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "good", receive_buffer_bytes=4096) as good:
            one = member(server, "good")
            data = json.dumps({"number": 1, "filling": "x" * 8_000}).encode()
            count = 0
            while one.session._transport.get_write_buffer_size() <= 2 * LIMIT_BYTES:
                one.send("news", data)
                count += 1
            one.send("end", b"{}")

            assert await events_until_end(good) == [1] * count
            assert server.counts.ended[Ending.TOO_SLOW] == 0

    run(scenario)


def test_a_slow_but_steady_reader_stays(run: Callable[[Scenario], None]) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "slow", receive_buffer_bytes=4096) as slow:
            reading = asyncio.create_task(events_until_end(slow, pause_seconds=0.002))
            data = json.dumps({"number": 1, "filling": "x" * 8_000}).encode()
            (one,) = server.hall.inside

            for _ in range(500):
                await until(lambda: one.session._transport.get_write_buffer_size() < LIMIT_BYTES)
                server.rooms.broadcast("/hall", "news", data)
            server.rooms.broadcast("/hall", "end", b"{}")

            assert len(await reading) == 500
            assert server.counts.deliveries_queued > 0
            assert server.counts.ended[Ending.TOO_SLOW] == 0

    run(scenario)


def test_writing_to_a_connection_that_is_gone_does_nothing(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "a") as a:
            one = member(server, "a")
            a.reset()
            await until(lambda: server.hall.gone == 1)

            for _ in range(10):
                one.send_event("news", {})

    run(scenario)


def test_the_emit_of_the_library_reaches_a_whole_namespace(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "a") as a, inside(server, "b") as b:
            await server.gateway.emit("news", {"number": 5}, namespace="/hall")

            for client in (a, b):
                assert await client.packet() == '42/hall,["news",{"number":5}]'

    run(scenario)
