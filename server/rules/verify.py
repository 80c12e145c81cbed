"""Checking a proof, from the document alone: was the draw fixed before anyone had paid?"""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pydantic import ValidationError

from protocol.views import Proof, ProofBeacon
from server.rules.beacon import QUICKNET_KEY, PublicKeys, mixed, randomness, verifies
from server.rules.draw import Grid, call_order, help_of_server, mix_entropy, seed_hash
from server.rules.events import EMPTY_LOG_HASH
from server.rules.proofs import proof_hash
from server.rules.tickets import Complete, judge
from server.rules.variants import SHAPES

_HASHES: Final = {"log_hash": EMPTY_LOG_HASH, "proof_hash": EMPTY_LOG_HASH}
"""Stand in for hashes of a log that is not there."""


def verify_proof(document: object, keys: PublicKeys = QUICKNET_KEY) -> list[str]:
    """How `document`, a JSON value as `strict_json.loads` reads it, differs from a proof that
    holds, a sentence for each difference; empty when it holds.

    Everything that follows from the seed is computed anew: its hash, the grids that the server
    arranged, the order of the numbers. When the claim was made is in the log, which `log_hash`
    vouches for; of the proof alone any beginning of the order will do in which the pattern is
    complete.
    A proof without either hash is one of the draw alone, and holds if the draw does. What a beacon
    says is checked under the public key that is among `keys`: a key in the proof would be whoever's
    made it.
    """
    draw_alone = isinstance(document, dict) and _HASHES.keys().isdisjoint(document)
    if isinstance(document, dict) and draw_alone:
        document = document | _HASHES
    try:
        # Strict about JSON types, which are not Python's: an array is no tuple.
        proof = Proof.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        return [_schema_problem(detail["loc"], detail["msg"]) for detail in error.errors()]
    except RecursionError:
        return ["the document is nested too deeply"]
    except (TypeError, ValueError):
        return ["the document is no JSON value"]
    if proof.variant not in SHAPES:
        return [f"variant {proof.variant!r} is not known"]
    malformed = list(_check_players(proof))
    if malformed:
        return malformed
    checks = [_check_draw, _check_arranged, _check_end]
    if not draw_alone:
        checks.append(_check_hash)
    differences = [difference for check in checks for difference in check(proof)]
    return [*_check_beacon(proof.beacon, keys), *differences]


def _schema_problem(location: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, location)) or 'the document'}: {message}"


def _check_players(proof: Proof) -> Iterator[str]:
    names = [alien_id for alien_id, _, _ in proof.players]
    if len(names) < 2 or any(left >= right for left, right in pairwise(names)):
        yield "players are not two or more, each once, in the order of their ids"
    shape = SHAPES[proof.variant]
    for alien_id, _, grid in proof.players:
        cells = [number for row in grid for number in row]
        square = len(grid) == shape.side and all(len(row) == shape.side for row in grid)
        in_range = all(1 <= number <= shape.highest for number in cells)
        if not (square and in_range and len(set(cells)) == len(cells)):
            yield f"the grid of {alien_id!r} is no ticket of {proof.variant}"


def _check_draw(proof: Proof) -> Iterator[str]:
    seed = bytes.fromhex(proof.server_seed)
    if proof.server_seed_hash != seed_hash(seed):
        yield "server_seed_hash is not the hash of server_seed"
    players = [
        (alien_id, client_seed, _grid(grid)) for alien_id, client_seed, grid in proof.players
    ]
    if proof.entropy != mix_entropy(players):
        yield "entropy does not follow from the players"
    drawn_by = proof.entropy
    if proof.beacon is not None:
        if proof.beacon.randomness is None:
            if proof.numbers_called:
                yield "numbers_called are not empty, but the beacon's round was not there"
            return
        drawn_by = mixed(proof.entropy, proof.beacon.randomness)
    order = call_order(seed, proof.lobby_id, drawn_by, SHAPES[proof.variant].highest)
    if tuple(proof.numbers_called) != order[: len(proof.numbers_called)]:
        yield "numbers_called are not the head of the order that follows from the seed"


def _check_beacon(beacon: ProofBeacon | None, keys: PublicKeys) -> Iterator[str]:
    if beacon is None or (beacon.signature is None and beacon.randomness is None):
        return
    key = keys.get(beacon.chain_hash)
    if key is None:
        yield (
            f"beacon is of a chain whose public key is not known here: {beacon.chain_hash!r}"
            " (BEACON_CHAIN_HASH and BEACON_PUBLIC_KEY name one more than quicknet's)"
        )
    if beacon.signature is None:
        yield "beacon.randomness is there without a signature"
        return
    if key is not None and not verifies(key, beacon.round, beacon.signature):
        yield "beacon.signature is not that of the round under the public key of the chain"
    if beacon.randomness != randomness(beacon.signature):
        yield "beacon.randomness is not the hash of the signature"


def _check_arranged(proof: Proof) -> Iterator[str]:
    seats = {alien_id for alien_id, _, _ in proof.players}
    for alien_id in sorted(proof.arranged.keys() - seats):
        yield f"arranged names {alien_id!r}, who is no player"
    seed, highest = bytes.fromhex(proof.server_seed), SHAPES[proof.variant].highest
    for alien_id, _, rows in proof.players:
        given = help_of_server(seed, proof.lobby_id, alien_id, _grid(rows), highest=highest)
        if proof.arranged.get(alien_id) != given:
            yield f"the grid of {alien_id!r} is not what arranged says of it"


def _check_end(proof: Proof) -> Iterator[str]:
    if proof.winner is None:
        if proof.pattern is not None:
            yield "there is a pattern but no winner"
        return
    grids = {alien_id: _grid(grid) for alien_id, _, grid in proof.players}
    if proof.winner not in grids:
        yield "the winner is no player"
    else:
        patterns = SHAPES[proof.variant].patterns
        verdict = judge(grids[proof.winner], proof.numbers_called, patterns)
        if verdict != Complete(proof.pattern or ""):
            yield "pattern is not the first complete one of the winner's grid"


def _check_hash(proof: Proof) -> Iterator[str]:
    if proof.proof_hash != proof_hash(proof.model_dump(exclude={"proof_hash"})):
        yield "proof_hash is not the hash of the rest"


def _grid(rows: list[list[int]]) -> Grid:
    return tuple(tuple(row) for row in rows)
