"""A finished game as a document: its log, and the proof that follows from it. It needs no store."""

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from server.rules.beacon import QUICKNET, QUICKNET_KEY, PublicKeys
from server.rules.events import BeaconAwaited, BeaconChosen
from server.rules.proofs import proof
from server.rules.verify import verify_proof
from server.store.lobbies import LobbyStore
from server.store.log import StreamEntry
from server.store.replay import BrokenLog, Step, replay

HOW_TO_VERIFY: Final = (
    "fair-bingo verify FILE; or the page /verify of any Fair Bingo server, which needs no account"
    " and, once loaded, no connection"
)


class GameFile(BaseModel):
    """The log of a game, entry by entry with its fields and its `id`; the hash of the last entry;
    and the proof, null for a lobby that was cancelled or voided. `verify` says how to check it."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    lobby_id: str
    log: list[dict[str, str]]
    hash: str
    proof: dict[str, Any] | None
    verify: str = HOW_TO_VERIFY

    def replay(self) -> Iterator[Step]:
        """The game step by step. Raises BrokenLog."""
        entries: list[StreamEntry] = [(entry.get("id", ""), entry) for entry in self.log]
        return replay(entries, self.hash)


async def game_file(lobbies: LobbyStore, lobby_id: str) -> GameFile | None:
    """The file of a finished game; None if there is no such lobby (any more), or it is not over.

    Raises BrokenLog if its log is not the one that was written.
    """
    (fields, _, _), log = await lobbies.texts_with_log(lobby_id)
    if fields.get("status") != "finished" or not log:
        return None
    *_, end = replay(log, fields.get("hash", ""))
    proven = proof(end.lobby)
    return GameFile(
        lobby_id=lobby_id,
        log=[{"id": entry_id, **values} for entry_id, values in log],
        hash=fields.get("hash", ""),
        proof=None if proven is None else proven.model_dump(mode="json"),
    )


def read_game_file(document: object) -> GameFile:
    """The file in a JSON value. Raises ValueError if it is none."""
    try:
        return GameFile.model_validate_json(json.dumps(document))
    except (ValidationError, RecursionError) as error:
        raise ValueError(f"it is no file of a game: {error}") from None


def verify_document(document: object, keys: PublicKeys = QUICKNET_KEY) -> list[str]:
    """How a proof, or the file of a game, differs from one that holds; empty if it holds. `keys`
    are the public keys of beacons that are known here."""
    if not (isinstance(document, dict) and "log" in document):
        return verify_proof(document, keys)
    try:
        return list(_differences(read_game_file(document), keys))
    except (BrokenLog, ValueError) as error:
        return [str(error)]


def beacon_differences(step: Step, keys: PublicKeys) -> Iterator[str]:
    """How a step of a game contradicts what is known of its beacon."""
    event, beacon = step.record.event, step.lobby.beacon
    if beacon is None:
        return
    chain, place = beacon.chain, step.record.position.id
    if isinstance(event, BeaconChosen):
        if keys.get(chain.chain_hash) != chain.public_key:
            yield f"{place}: the beacon's chain and key are not known here: {chain.chain_hash!r}"
        if chain.public_key == QUICKNET.public_key and chain != QUICKNET:
            yield f"{place}: the times of the beacon's rounds are not quicknet's"
    if isinstance(event, BeaconAwaited) and event.round != chain.round_after(event.started_at):
        yield f"{place}: the round is not the first after the start"


def _differences(file: GameFile, keys: PublicKeys) -> Iterator[str]:
    steps = list(file.replay())
    if not steps or steps[-1].lobby.status != "finished":
        yield "the log does not reach the end of the game"
        return
    for step in steps:
        yield from beacon_differences(step, keys)
    lobby = steps[-1].lobby
    proven = proof(lobby)
    if lobby.lobby_id != file.lobby_id:
        yield "the log is of another lobby"
    if file.proof != (None if proven is None else proven.model_dump(mode="json")):
        yield "the proof is not what follows from the log"
    if file.proof is not None:
        yield from verify_proof(file.proof, keys)
