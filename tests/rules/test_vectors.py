"""The published test vectors: of an independent computation, and the server's own results."""

import json
from typing import Any

from server.rules.draw import shuffled
from server.rules.verify import verify_proof
from server.store.log import record_hash
from tests.rules.vectors import FILE, sha256_of_json, text

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def test_the_published_vectors_are_those_of_the_independent_computation() -> None:
    assert FILE.read_text(encoding="utf-8") == text()


def test_the_proofs_among_them_hold() -> None:
    assert [verify_proof(proof) for proof in VECTORS["proofs"]] == [[]] * len(VECTORS["proofs"])


def test_the_hashes_of_records_are_the_servers() -> None:
    for record in VECTORS["log"]:
        assert record_hash(record["id"], record) == record["hash"]


def test_a_shuffle_that_skips_a_number_is_the_servers() -> None:
    long = VECTORS["long_shuffle"]
    order = shuffled(range(long["items"]), bytes.fromhex(long["server_seed"]), long["name"])
    assert sha256_of_json(order) == long["sha256_of_json"]
    assert long["skipped"] == 1
