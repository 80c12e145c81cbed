"""Everyone gets everything in its order."""

import asyncio
import random
from functools import partial

from tests.support.wait import until
from tests.transport.clients import inside, member, news, numbers_until_end, waiting_bytes
from tests.transport.conftest import BUFFER_BYTES, RunScenario
from tests.transport.echo_server import Server


def has_answered(server: Server, count: int) -> bool:
    return len(server.echo.carried_out) == count


def are_near(server: Server) -> bool:
    """Whether nobody is so far behind that they will be cut."""
    return all(waiting_bytes(one) < BUFFER_BYTES / 4 for one in server.echo.inside)


def test_every_client_sees_exactly_its_sequence(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        dice = random.Random(7)
        async with (
            inside(server, "a") as a,
            inside(server, "b", receive_buffer_bytes=4096) as b,
            inside(server, "c", receive_buffer_bytes=4096) as c,
        ):
            clients = {"a": a, "b": b, "c": c}
            readers = {
                "a": asyncio.create_task(numbers_until_end(a)),
                "b": asyncio.create_task(numbers_until_end(b, pause_seconds=0.001)),
                "c": asyncio.create_task(numbers_until_end(c, pause_seconds=0.0005)),
            }
            expected: dict[str, list[int]] = {name: [] for name in clients}
            acks = 0
            for number in range(2000):
                data = news(number, dice.choice([10, 100, 200, 8000]))
                kind = dice.random()
                name = dice.choice("abc")
                if kind < 0.6:
                    server.rooms.broadcast("/echo", "news", data)
                    for numbers in expected.values():
                        numbers.append(number)
                elif kind < 0.9:
                    member(server, name).send("news", data)
                    expected[name].append(number)
                else:
                    acks += 1
                    clients[name].send(f'42/echo,{number}["echo"]')
                    expected[name].append(number)
                    await until(partial(has_answered, server, acks))
                    await asyncio.sleep(0)
                if dice.random() < 0.1:
                    await asyncio.sleep(0.001)
                await until(partial(are_near, server))
            server.rooms.broadcast("/echo", "end", b"{}")

            for name, reader in readers.items():
                assert await reader == expected[name]
            assert server.counts.deliveries_direct > 0
            assert server.counts.deliveries_queued > 0

    run(scenario)


def test_writing_to_a_connection_that_is_gone_does_nothing(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "a") as a:
            one = member(server, "a")
            a.reset()
            await until(lambda: server.echo.gone == 1)

            for _ in range(10):
                one.send_event("news", {})

    run(scenario)


def test_the_emit_of_the_library_reaches_a_whole_namespace(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "a") as a, inside(server, "b") as b:
            await server.gateway.emit("news", {"number": 5}, namespace="/echo")

            for client in (a, b):
                assert await client.packet() == '42/echo,["news",{"number":5}]'

    run(scenario)
