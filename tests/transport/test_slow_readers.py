"""Who does not read costs a bounded amount, and no other client notices."""

import asyncio
import socket

import pytest

from server.transport.close_reason import CloseReason
from server.transport.frames import text_frame
from server.transport.session import KERNEL_SHARE, WAITING_SHARE
from tests.support.wait import until
from tests.transport.clients import inside, member, news, numbers_until_end, waiting_bytes
from tests.transport.conftest import BUFFER_BYTES, RunScenario
from tests.transport.echo_server import Server

MOST_WAITING_BYTES = BUFFER_BYTES * WAITING_SHARE


def test_all_that_may_lie_anywhere_is_within_the_buffer() -> None:
    assert WAITING_SHARE + KERNEL_SHARE <= 1


def test_the_kernel_keeps_no_more_than_its_share(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "a"):
            sock = member(server, "a").session._transport.get_extra_info("socket")

            kept_bytes = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

            assert kept_bytes == BUFFER_BYTES * KERNEL_SHARE

    run(scenario)


@pytest.mark.parametrize("frame_bytes", [130, 8_000, 60_000])
def test_who_does_not_read_is_cut_before_more_than_its_share_waits(
    run: RunScenario, frame_bytes: int
) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "stalled", receive_buffer_bytes=4096):
            one = member(server, "stalled")
            frame = text_frame(b"x" * frame_bytes)
            frames = 0
            while not one.session._transport.is_closing():
                one.session.write(frame)
                frames += 1
                assert waiting_bytes(one) <= MOST_WAITING_BYTES
                if frames % 100 == 0:
                    await asyncio.sleep(0)

            assert MOST_WAITING_BYTES / 2 < frames * len(frame) < BUFFER_BYTES + len(frame)
            await until(lambda: server.counts.ended[CloseReason.TOO_SLOW] == 1)
            await until(lambda: server.gateway.eio.sockets == {})

    run(scenario)


def test_a_flood_in_one_pass_of_the_event_loop_makes_no_difference(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "stalled", receive_buffer_bytes=4096):
            one = member(server, "stalled")
            frame = text_frame(b"x" * 60_000)
            for _ in range(1000):  # 60 MB, and the loop does not turn once
                one.session.write(frame)
                assert waiting_bytes(one) <= MOST_WAITING_BYTES

            await until(lambda: server.counts.ended[CloseReason.TOO_SLOW] == 1)

    run(scenario)


def test_others_get_everything_when_one_is_cut(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with (
            inside(server, "good") as good,
            inside(server, "stalled", receive_buffer_bytes=4096),
        ):
            reading = asyncio.create_task(numbers_until_end(good))
            number = 0
            while server.counts.ended[CloseReason.TOO_SLOW] == 0:
                server.rooms.broadcast("/echo", "news", news(number, 8_000))
                number += 1
                await until(lambda: waiting_bytes(member(server, "good")) == 0)
            server.rooms.broadcast("/echo", "end", b"{}")

            assert await reading == list(range(number))
            assert [one.alien_id for one in server.echo.inside] == ["good"]

    run(scenario)


def test_a_burst_within_the_share_costs_a_reader_nothing(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "good", receive_buffer_bytes=4096) as good:
            count = int(MOST_WAITING_BYTES) // 9_000
            for number in range(count):
                member(server, "good").send("news", news(number, 8_000))
            member(server, "good").send("end", b"{}")

            assert await numbers_until_end(good) == list(range(count))
            assert server.counts.ended[CloseReason.TOO_SLOW] == 0

    run(scenario)


def test_a_message_longer_than_all_shares_reaches_who_reads(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "good") as good:
            member(server, "good").send("news", news(1, 2 * BUFFER_BYTES))
            assert await good.packet()

            member(server, "good").send("end", b"{}")
            assert await numbers_until_end(good) == []

    run(scenario)


def test_asking_for_a_long_message_again_before_it_has_come_keeps_the_connection(
    run: RunScenario,
) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "good", receive_buffer_bytes=4096) as good:
            for number in range(2):
                member(server, "good").send("news", news(number, int(MOST_WAITING_BYTES)))
            member(server, "good").send("news", news(2, 1_000))
            member(server, "good").send("end", b"{}")

            assert await numbers_until_end(good) == [0, 1, 2]
            assert server.counts.ended[CloseReason.TOO_SLOW] == 0

    run(scenario)


def test_a_slow_but_steady_reader_stays(run: RunScenario) -> None:
    async def scenario(server: Server) -> None:
        async with inside(server, "slow", receive_buffer_bytes=4096) as slow:
            reading = asyncio.create_task(numbers_until_end(slow, pause_seconds=0.002))
            one = member(server, "slow")
            for number in range(500):
                await until(lambda: waiting_bytes(one) < MOST_WAITING_BYTES - 10_000)
                server.rooms.broadcast("/echo", "news", news(number, 8_000))
            await until(lambda: waiting_bytes(one) < MOST_WAITING_BYTES - 10_000)
            server.rooms.broadcast("/echo", "end", b"{}")

            assert await reading == list(range(500))
            assert server.counts.deliveries_queued > 0
            assert server.counts.ended[CloseReason.TOO_SLOW] == 0

    run(scenario)
