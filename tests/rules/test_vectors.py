"""The published test vectors: of an independent computation, and the server's own results."""

import json
from typing import Any

from server.rules.beacon import randomness, verifies
from server.rules.draw import shuffled
from server.rules.verify import verify_proof
from server.store.log import record_hash
from tests.rules.games import BEACON
from tests.rules.vectors import FILE, sha256_of_json, text

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def test_the_published_vectors_are_those_of_the_independent_computation() -> None:
    assert FILE.read_text(encoding="utf-8") == text()


def test_the_proofs_among_them_hold() -> None:
    assert [verify_proof(proof) for proof in VECTORS["proofs"]] == [[]] * len(VECTORS["proofs"])


def test_the_signatures_of_beacons_are_judged_so_by_the_server() -> None:
    for round in VECTORS["beacons"]:
        found = verifies(round["public_key"], round["round"], round["signature"])
        assert found == round["holds"]
        assert randomness(round["signature"]) == round["randomness"]


def test_the_key_of_the_tests_is_the_one_of_the_vectors() -> None:
    known = {chain["chain_hash"]: chain["public_key"] for chain in VECTORS["beacons"]}
    assert known[BEACON.chain.chain_hash] == BEACON.chain.public_key
    for round in VECTORS["beacons"]:
        if round["holds"] and round["chain_hash"] == BEACON.chain.chain_hash:
            assert BEACON.signature(round["round"]) == round["signature"]


def test_the_hashes_of_records_are_the_servers() -> None:
    for record in VECTORS["log"]:
        assert record_hash(record["id"], record) == record["hash"]


def test_a_shuffle_that_skips_a_number_is_the_servers() -> None:
    long = VECTORS["long_shuffle"]
    order = shuffled(range(long["items"]), bytes.fromhex(long["server_seed"]), long["name"])
    assert sha256_of_json(order) == long["sha256_of_json"]
    assert long["skipped"] == 1
