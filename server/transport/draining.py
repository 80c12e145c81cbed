"""Sending everyone away from a process that is to end."""

import asyncio
from collections.abc import Callable
from typing import Final

from server.transport.close_reason import CloseReason
from server.transport.engine import Engine
from server.transport.member import PlayerSession

POLL_SECONDS: Final = 0.05


async def drain(engine: Engine, seconds: float) -> None:
    """Let nobody in any more and send everyone away, evenly spread over `seconds`. Returns when
    all are gone."""
    engine.draining = True
    await _spread(engine, seconds, _send_away)
    await engine.wait_until_empty()


async def leave(engine: Engine, seconds: float, join_seconds: float) -> None:
    """Send everyone away likewise while another process serves in this one's place: nobody is
    refused. Who still comes has `join_seconds` to join, and is sent away then; who waits for an
    answer gets it first."""
    await _spread(engine, seconds, _send_away_if_idle)
    now_s = asyncio.get_running_loop().time
    last_s = now_s() + join_seconds
    while engine.sockets and now_s() < last_s:
        for session in list(engine.sockets.values()):
            _send_away_if_idle(session)
        await asyncio.sleep(POLL_SECONDS)
    await drain(engine, 0)


async def _spread(engine: Engine, seconds: float, do: Callable[[PlayerSession], None]) -> None:
    now_s = asyncio.get_running_loop().time
    start_s = now_s()
    sessions = list(engine.sockets.values())
    for position, session in enumerate(sessions):
        await asyncio.sleep(start_s + seconds * position / len(sessions) - now_s())
        do(session)


def _send_away(session: PlayerSession) -> None:
    session.close(CloseReason.DRAINING)


def _send_away_if_idle(session: PlayerSession) -> None:
    if session.members and not session.busy:
        _send_away(session)
