"""A connection is not used again on which something came unasked; a new one is used."""

import asyncio

import aiohttp

from server.outside.fresh_connections import FreshConnections

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


async def test_a_new_connection_on_which_the_server_speaks_first_is_not_given_up_for_another() -> (
    None
):
    accepted: list[asyncio.StreamWriter] = []
    spoke = asyncio.Event()

    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        writer.write(BUSY)
        spoke.set()

    async def until_it_spoke(*_: object) -> None:
        await spoke.wait()

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(until_it_spoke)
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with (
            aiohttp.ClientSession(connector=FreshConnections(), trace_configs=[tracing]) as client,
            client.get(f"http://127.0.0.1:{port}/") as response,
        ):
            assert response.status == 503
        assert len(accepted) == 1
        for writer in accepted:
            writer.close()
