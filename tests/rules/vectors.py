"""The test vectors under `protocol/`, computed without a line of the server's code.

`python -m tests.rules.vectors` writes them anew.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.rules.other_draw import shuffle

FILE = Path(__file__).parents[2] / "protocol" / "vectors.json"
HIGHEST = {"classic": 50, "grand": 75}
SIDE = {"classic": 3, "grand": 5}
RECORD_LINES = ("previous", "id", "version", "at", "type", "data", "event", "message")

QUICKNET = {
    "chain_hash": "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    "public_key": (
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
        "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
        "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
}
# Rounds of the public chain quicknet, as https://api.drand.sh/<chain_hash>/public/<round> has them.
QUICKNET_ROUNDS = {
    1000: (
        "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
        "e342b73a8dd2bacbe47e4b6b63ed5e39"
    ),
    32281667: (
        "b0f5ae301358ff87a9d3dd539ed4a07c0148b1ab4f7b61a8ca43c7e9ca7ca955"
        "3e4faae9188deb30b2cd1a7f447e3e5b"
    ),
    32285085: (
        "81dbce51d584d90d618547f4b50391d53ace6f6b9aeb8fb67e1879427af9d031"
        "0ac0ec6f519271d9a313ee84b378d416"
    ),
}
# The key 12345 of tests.rules.games, and what @noble/curves signs with it.
DEV = {
    "chain_hash": "893e6d062044476c4e7a96765c1f35195e407efa2a4965038344bbdce736331c",
    "public_key": (
        "849d5b3d40fe475b145eebf53d97981bde5a64dea2964807f82561e709e804fe"
        "e3ecfb5356631b2dedbe82d3d1dad0bb037ece3ecc512226a1e56fbe0b33aab2"
        "080ab467d14aadeff5dcd8adc6613b926bc97601a4a1f1287793757b10d68a93"
    ),
}
DEV_ROUNDS = {
    1: (
        "851549d03746af813dd3306972554e016d2c36c62bf8b9d4f809a9b78fdd206e"
        "7c626d13620620d89d4e4d444e22d27b"
    ),
    2**32: (
        "a8b616da7ee0d8bfee566e4af5c73c8a2ed705ee5e0e996f81515ef1a263e5da"
        "ac206013f0ef77e852031f3c551afc99"
    ),
}

Rows = list[list[int]]


def sha256_of_json(value: Any) -> str:
    """Hex SHA-256 of the JSON text of a value: no spaces, no ASCII escaping."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def rows(numbers: list[int], side: int) -> Rows:
    """The head of a list as a square."""
    return [numbers[row * side : (row + 1) * side] for row in range(side)]


def beacon_round(
    chain: dict[str, str], rounds: dict[int, str], number: int
) -> dict[str, str | int]:
    """A round as it stands in a proof."""
    value = hashlib.sha256(bytes.fromhex(rounds[number])).hexdigest()
    return {
        "chain_hash": chain["chain_hash"],
        "round": number,
        "signature": rounds[number],
        "randomness": value,
    }


def proof(
    server_seed: bytes,
    lobby_id: str,
    variant: str,
    players: dict[str, tuple[str, str]],
    beacon: dict[str, str | int] | None = None,
) -> dict[str, Any]:
    """The proof of a game in which all numbers were called and nobody won. `players`: the client
    seed of each, and how their ticket was made: "own", "arranged" or "picked"."""
    side, highest = SIDE[variant], HIGHEST[variant]
    entries: list[tuple[str, str, Rows]] = []
    helped: list[tuple[str, str]] = []
    for index, (alien_id, (client_seed, made)) in enumerate(sorted(players.items())):
        numbers = [(index + 2 * at) % highest + 1 for at in range(side * side)]
        if made != "own":
            pool = sorted(numbers) if made == "arranged" else list(range(1, highest + 1))
            numbers, _ = shuffle(pool, server_seed, f"{lobby_id}:grid:{alien_id}")
            helped.append((alien_id, made))
        entries.append((alien_id, client_seed, rows(numbers, side)))
    entropy = sha256_of_json(entries)
    drawn_by = entropy
    if beacon is not None:
        drawn_by = hashlib.sha256(f"{entropy}:{beacon['randomness']}".encode()).hexdigest()
    order, _ = shuffle(range(1, highest + 1), server_seed, f"{lobby_id}:{drawn_by}")
    facts: dict[str, Any] = {
        "lobby_id": lobby_id,
        "variant": variant,
        "server_seed": server_seed.hex(),
        "server_seed_hash": hashlib.sha256(server_seed).hexdigest(),
        "players": entries,
        "arranged": helped,
        "entropy": entropy,
        **({} if beacon is None else {"beacon": beacon}),
        "numbers_called": order,
        "winner": None,
        "pattern": None,
        "log_hash": hashlib.sha256(lobby_id.encode()).hexdigest(),
    }
    return {**facts, "arranged": dict(helped), "proof_hash": sha256_of_json(list(facts.values()))}


def log(messages: list[str | None]) -> list[dict[str, str]]:
    """A chain of records; those without a message are not published."""
    records: list[dict[str, str]] = []
    previous, seq, minor = "0" * 64, 0, 0
    for version, message in enumerate(messages, 1):
        seq, minor = (seq, minor + 1) if message is None else (seq + 1, 0)
        record = {
            "id": f"{seq}-{minor}",
            "version": str(version),
            "at": f"{1_700_000_000_000 + version}.5",
            "type": "number_called",
            "data": json.dumps({"number": version}),
            "previous": previous,
        }
        if message is not None:
            record |= {"event": "number_called", "message": message}
        text = "\n".join(record.get(line, "") for line in RECORD_LINES)
        previous = hashlib.sha256(text.encode("utf-8")).hexdigest()
        records.append({**record, "hash": previous})
    return records


def beacons() -> list[tuple[dict[str, str], dict[int, str], int, bool]]:
    """Rounds with their signatures, and some that are not theirs."""
    right = [(QUICKNET, QUICKNET_ROUNDS, number, True) for number in QUICKNET_ROUNDS]
    dev = [(DEV, DEV_ROUNDS, number, True) for number in DEV_ROUNDS]
    neutral = {1000: "c0" + "00" * 47}
    wrong = [
        (QUICKNET, {999: QUICKNET_ROUNDS[1000]}, 999, False),
        (QUICKNET, DEV_ROUNDS, 1, False),
        (DEV, QUICKNET_ROUNDS, 1000, False),
        (QUICKNET, neutral, 1000, False),
    ]
    return [*right, *dev, *wrong]


def vectors() -> dict[str, Any]:
    """All of them."""
    seed = bytes(range(32))
    zeros, ones = bytes(32), b"\xff" * 32
    many = {f"player-{n}": (f"seed {n}", ("own", "arranged", "picked")[n % 3]) for n in range(10)}
    # The names are in the order of their code points, which is not that of UTF-16 (JavaScript).
    odd = {"\ufffd": ("", "own"), "\U0001f47d": ('"\\\u2028\x7f', "picked"), "a b": ("ü", "own")}
    shuffled, skipped = shuffle(range(100_000), seed, "d")
    return {
        "proofs": [
            proof(
                seed,
                "lobby_3500_000000000000",
                "classic",
                {"ann": ("", "own"), "bob": ("x", "own")},
            ),
            proof(zeros, "lobby_7000_0123456789ab", "classic", many),
            proof(ones, "lobby_17500_ffffffffffff", "grand", many),
            proof(seed, "lobby_3500_abcdefabcdef", "classic", odd),
            proof(
                seed,
                "lobby_3500_bea000000000",
                "classic",
                {"ann": ("", "own"), "bob": ("x", "arranged")},
                beacon_round(QUICKNET, QUICKNET_ROUNDS, 1000),
            ),
            proof(
                zeros,
                "lobby_17500-2_bea000000001",
                "grand",
                many,
                beacon_round(QUICKNET, QUICKNET_ROUNDS, 32281667),
            ),
        ],
        "beacons": [
            {
                "public_key": chain["public_key"],
                **beacon_round(chain, rounds, number),
                "holds": held,
            }
            for chain, rounds, number, held in beacons()
        ],
        "log": log(['{"seq":1}', None, None, '{"seq":2,"text":"ü"}']),
        "long_shuffle": {
            "comment": "0 to 99999, shuffled: here a number of the stream is skipped",
            "server_seed": seed.hex(),
            "name": "d",
            "items": len(shuffled),
            "skipped": len(skipped),
            "sha256_of_json": sha256_of_json(shuffled),
        },
    }


def text() -> str:
    """The file's text, a proof a line."""
    parts = [f"{json.dumps(name)}: {_listed(value)}" for name, value in vectors().items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _listed(value: Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in value) + "\n]"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
