"""One process of a run."""

import asyncio
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Final

import aiohttp
import uvloop

from server.load.crowd import Crowd
from server.load.dialer import Dialer
from server.load.http import http_session
from server.load.kit import Kit
from server.load.meter import Meter
from server.load.pace import Games
from server.load.participant import Participant
from server.load.payments import DevPayments, Payments, SignedWebhooks
from server.load.plan import Plan
from server.load.player import Player
from server.load.spectator import Spectator
from server.load.tokens import DevTokens, SignedTokens, Tokens, read_key
from server.runtime.garbage import collect_when_grown, spare_what_stays

_TOKEN_RESERVE_SECONDS: Final = 600


def work(plan: Plan, part: int, parts: int, pipe: Connection) -> None:
    """Play one of several parts of a plan, and tell `pipe` about it as Crowd does. Ends when
    nobody listens there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one hears it too
    spare_what_stays()
    try:
        uvloop.run(_play(plan, part, parts, pipe))
    except* BrokenPipeError:
        pass


async def _play(plan: Plan, part: int, parts: int, pipe: Connection) -> None:
    meter = Meter(plan.clock_offset_ms)
    async with http_session() as http:
        people = list(_people(plan, part, parts, _kit(plan, http, meter)))
        collecting = asyncio.create_task(collect_when_grown())  # else it looks like a slow server
        await Crowd(plan, people, meter, pipe).run()
        collecting.cancel()


def _people(plan: Plan, part: int, parts: int, kit: Kit) -> Iterator[tuple[float, Participant]]:
    # Spectators come last: they need games.
    for number in range(part, plan.people, parts):
        arrival_seconds = plan.ramp_seconds * number / plan.people
        alien_id = f"{plan.name}-{number}"
        if number < plan.players:
            tier = plan.tiers[number % len(plan.tiers)]
            yield arrival_seconds, Player(alien_id, tier, kit)
        else:
            yield arrival_seconds, Spectator(alien_id, kit)


def _kit(plan: Plan, http: aiohttp.ClientSession, meter: Meter) -> Kit:
    tokens, payments = _money_and_identity(plan, http, meter)
    return Kit(
        dialer=Dialer(plan.target, meter),
        tokens=tokens,
        payments=payments,
        games=Games(plan.call_interval_seconds * 1000),
        meter=meter,
        claims=plan.claims,
    )


def _money_and_identity(
    plan: Plan, http: aiohttp.ClientSession, meter: Meter
) -> tuple[Tokens, Payments]:
    url, signing = plan.target.url, plan.signing
    if signing is None:
        return DevTokens(url, http, meter), DevPayments(url, http)
    tokens = SignedTokens(
        read_key(signing.token_key),
        issuer=signing.issuer,
        audience=signing.audience,
        kid=signing.kid,
        lifetime_seconds=int(plan.whole_seconds) + _TOKEN_RESERVE_SECONDS,
    )
    return tokens, SignedWebhooks(url, read_key(signing.webhook_key), http)
