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

Rows = list[list[int]]


def sha256_of_json(value: Any) -> str:
    """Hex SHA-256 of the JSON text of a value: no spaces, no ASCII escaping."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def rows(numbers: list[int], side: int) -> Rows:
    """The head of a list as a square."""
    return [numbers[row * side : (row + 1) * side] for row in range(side)]


def proof(
    server_seed: bytes, lobby_id: str, variant: str, players: dict[str, tuple[str, str]]
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
    order, _ = shuffle(range(1, highest + 1), server_seed, f"{lobby_id}:{entropy}")
    facts: dict[str, Any] = {
        "lobby_id": lobby_id,
        "variant": variant,
        "server_seed": server_seed.hex(),
        "server_seed_hash": hashlib.sha256(server_seed).hexdigest(),
        "players": entries,
        "arranged": helped,
        "entropy": entropy,
        "numbers_called": order,
        "winner": None,
        "pattern": None,
        "log_hash": hashlib.sha256(lobby_id.encode()).hexdigest(),
    }
    return {**facts, "arranged": dict(helped), "proof_hash": sha256_of_json(list(facts.values()))}


def log(messages: list[str | None]) -> list[dict[str, str]]:
    """A chain of records; those without a message are heard by nobody."""
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
