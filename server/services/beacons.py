"""Beacons: what the order of a new lobby waits for, and getting it for those that wait."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from protocol.errors import ErrorCode, Refused
from server.rules.beacon import Chain, LobbyBeacon
from server.rules.commands import MixBeacon
from server.rules.lobby import Lobby
from server.runtime.tasks import end
from server.services.lobbies import Lobbies
from server.store.errors import StoreUnavailable

BeaconOfLobbies = Callable[[], LobbyBeacon | Refused | None]
"""What the order of a lobby that opens now waits for; None: it waits for nothing. Refused while
that is not known: no lobby opens without what it should have."""

log = structlog.get_logger(__name__)


class RoundSource(Protocol):
    """Where the rounds of beacons come from."""

    async def signature(self, chain: Chain, round: int) -> str | None:
        """The signature (hex) of a round, verified under the chain's public key; None if it is not
        to be had now."""
        ...


class ChainSource(RoundSource, Protocol):
    """Where a beacon comes from whose chain may not be known yet."""

    @property
    def chain(self) -> Chain | None:
        """The chain, once it is known."""
        ...


def no_beacon() -> None:
    """New lobbies wait for nothing."""


def beacon_of_lobbies(source: ChainSource | None, patience_ms: int) -> BeaconOfLobbies:
    """New lobbies wait for that beacon, if there is one, so long after their start."""

    def beacon() -> LobbyBeacon | Refused | None:
        if source is None:
            return None
        if source.chain is None:
            return Refused(ErrorCode.UNAVAILABLE)
        return LobbyBeacon(chain=source.chain, patience_ms=patience_ms)

    return beacon


class BeaconMixer:
    """Gets the rounds that lobbies wait for, each once for all of them, and mixes them in.

    Every node may do so for every lobby: the rules verify the round that they are given, it has one
    value only, and the commit settles who was first. Without a `source` it gets none.
    """

    def __init__(self, lobbies: Lobbies, source: RoundSource | None) -> None:
        self._lobbies = lobbies
        self._source = source
        self._waiting: dict[tuple[Chain, int], set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wanted(self, lobby: Lobby) -> None:
        """Try once, in the background, to get what a lobby waits for; whoever is responsible for
        its due times asks again."""
        beacon = lobby.awaited
        if self._source is None or beacon is None or beacon.round is None:
            return
        key = beacon.chain, beacon.round
        if key in self._waiting:
            self._waiting[key].add(lobby.lobby_id)
            return
        self._waiting[key] = {lobby.lobby_id}
        task = asyncio.create_task(self._mix(self._source, *key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way."""
        await end(*self._tasks)

    async def _mix(self, source: RoundSource, chain: Chain, round: int) -> None:
        try:
            signature = await source.signature(chain, round)
        except Exception:
            # A fault in getting one round must not end the attempts at the next.
            log.exception("beacon_failed", round=round)
            signature = None
        finally:
            waiting = self._waiting.pop((chain, round))
        if signature is not None:
            mixing = (self._mix_into(lobby_id, MixBeacon(round, signature)) for lobby_id in waiting)
            await asyncio.gather(*mixing)

    async def _mix_into(self, lobby_id: str, command: MixBeacon) -> None:
        try:
            await self._lobbies.carry_out(lobby_id, command)
        except StoreUnavailable as error:
            log.warning("beacon_without_store", lobby_id=lobby_id, error=str(error))
        except Exception:
            # A fault in one lobby must not keep the others waiting.
            log.exception("beacon_failed", lobby_id=lobby_id)
