"""A worker process of a run: some of its participants, and what these share."""

import asyncio
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Final

import aiohttp
import uvloop

from server.load.call_schedule import Games
from server.load.context import WorkerContext
from server.load.dialer import Dialer
from server.load.generator import LoadGenerator
from server.load.http import http_session
from server.load.meter import Meter
from server.load.participant import Participant
from server.load.payments import DevPayments, Payer, SignedWebhooks
from server.load.player import LoadPlayer
from server.load.scenario import Scenario
from server.load.spectator import Spectator
from server.load.tokens import DevTokens, SignedTokens, TokenSource, read_key
from server.runtime.garbage import collect_when_grown, freeze_heap

_TOKEN_RESERVE_SECONDS: Final = 600
"""How long tokens are valid after the scenario's end: a slow machine may need more time for it."""


def work(scenario: Scenario, part: int, parts: int, pipe: Connection) -> None:
    """Run every `parts`-th participant of a scenario, from number `part` on, and report to `pipe`
    as LoadGenerator does. Returns early if the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one gets it too
    freeze_heap()  # pauses of the collector would be measured as latency of the server
    try:
        uvloop.run(_play(scenario, part, parts, pipe))
    except* BrokenPipeError:
        pass


async def _play(scenario: Scenario, part: int, parts: int, pipe: Connection) -> None:
    meter = Meter(scenario.clock_offset_ms)
    async with http_session() as http:
        participants = list(_participants(scenario, part, parts, _context(scenario, http, meter)))
        collecting = asyncio.create_task(collect_when_grown())
        await LoadGenerator(scenario, participants, meter, pipe).run()
        collecting.cancel()


def _participants(
    scenario: Scenario, part: int, parts: int, context: WorkerContext
) -> Iterator[tuple[float, Participant]]:
    # Spectators come last: they watch games of the players who are there.
    for number in range(part, scenario.participants, parts):
        arrival_seconds = scenario.ramp_seconds * number / scenario.participants
        alien_id = f"{scenario.name}-{number}"
        if number < scenario.players:
            tier = scenario.tiers[number % len(scenario.tiers)]
            yield arrival_seconds, LoadPlayer(alien_id, tier, context)
        else:
            yield arrival_seconds, Spectator(alien_id, context)


def _context(scenario: Scenario, http: aiohttp.ClientSession, meter: Meter) -> WorkerContext:
    token_source, payer = _token_source_and_payer(scenario, http, meter)
    return WorkerContext(
        dialer=Dialer(scenario.target, meter),
        token_source=token_source,
        payer=payer,
        games=Games(scenario.call_interval_seconds * 1000),
        meter=meter,
        claims=scenario.claims,
    )


def _token_source_and_payer(
    scenario: Scenario, http: aiohttp.ClientSession, meter: Meter
) -> tuple[TokenSource, Payer]:
    url, signing = scenario.target.url, scenario.signing
    if signing is None:
        return DevTokens(url, http, meter), DevPayments(url, http)
    tokens = SignedTokens(
        read_key(signing.token_key),
        issuer=signing.issuer,
        audience=signing.audience,
        kid=signing.kid,
        lifetime_seconds=int(scenario.total_seconds) + _TOKEN_RESERVE_SECONDS,
    )
    return tokens, SignedWebhooks(url, read_key(signing.webhook_key), http)
