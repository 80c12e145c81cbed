"""A public beacon: values that come at fixed times, that nobody knows before, and that anyone can
check afterwards (drand's scheme `bls-unchained-g1-rfc9380`).

The value of a round is the SHA-256 of its signature: a BLS signature on the curve BLS12-381, in G1,
of the SHA-256 of the round's number as eight big-endian bytes. There is one such signature only, so
whoever signs has no choice either.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point

from protocol import quicknet

SCHEME: Final = "bls-unchained-g1-rfc9380"
HASH_TO_G1: Final = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
"""The domain of hashing to the curve, as that scheme has it (RFC 9380)."""
SIGNATURE_BYTES: Final = 48
PUBLIC_KEY_BYTES: Final = 96
AHEAD_MS: Final = 1_000
"""How long before its time a round has to be named, at least."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A beacon's chain: its hash and public key (hex), the time of round 1 (Unix ms), and the
    milliseconds from one round to the next."""

    chain_hash: str
    public_key: str
    genesis_ms: int
    period_ms: int

    def time_ms(self, round: int) -> int:
        """When the round is there (Unix ms); nobody knows its value before."""
        return self.genesis_ms + (round - 1) * self.period_ms

    def round_after(self, at_ms: int) -> int:
        """The first round whose time is at least `AHEAD_MS` after anything that happened within the
        millisecond `at_ms` (Unix ms)."""
        from_ms = at_ms + 1 + AHEAD_MS
        return max(1, -((self.genesis_ms - from_ms) // self.period_ms) + 1)


QUICKNET: Final = Chain(
    chain_hash=quicknet.CHAIN_HASH,
    public_key=quicknet.PUBLIC_KEY,
    genesis_ms=quicknet.GENESIS_SECONDS * 1000,
    period_ms=quicknet.PERIOD_SECONDS * 1000,
)
"""The public chain of the League of Entropy that has this scheme."""

PublicKeys = Mapping[str, str]
"""Public keys (hex) that somebody knows, by the hash of their chain."""
QUICKNET_KEY: Final[PublicKeys] = {QUICKNET.chain_hash: QUICKNET.public_key}


def known_keys(chain_hash: str, public_key: str) -> PublicKeys:
    """The public keys that proofs are checked with: quicknet's, and that of the settings."""
    return {**QUICKNET_KEY, chain_hash: public_key}


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyBeacon:
    """What the order of a lobby's numbers waits for. `patience_ms` after the start it is too late.
    `round` is named by the start, and `signature` (hex) comes with it."""

    chain: Chain
    patience_ms: int
    round: int | None = None
    signature: str | None = None

    @property
    def randomness(self) -> str | None:
        """The value of the round, when it is there."""
        return None if self.signature is None else randomness(self.signature)


def randomness(signature: str) -> str:
    """The value of a round (hex) by its signature (hex)."""
    return hashlib.sha256(bytes.fromhex(signature)).hexdigest()


def mixed(entropy: str, randomness: str) -> str:
    """What the players bring to the draw, with a beacon's value mixed in: hex SHA-256."""
    return hashlib.sha256(f"{entropy}:{randomness}".encode()).hexdigest()


@lru_cache(maxsize=1024)  # a round is looked at by every game that waits for it
def verifies(public_key: str, round: int, signature: str) -> bool:
    """Whether that is the signature (hex) of the round under the public key (hex)."""
    try:
        key, point = _public_key(public_key), _signature(signature)
        message = hashlib.sha256(round.to_bytes(8, "big")).digest()
    except (ValueError, OverflowError):
        return False
    if G2Point.identity() == key:
        return False
    hashed = G1Point.hash_to_curve(message, HASH_TO_G1)
    return GT.pairing_check([point, -hashed], [G2Point(), key])


@lru_cache(maxsize=16)
def _public_key(text: str) -> G2Point:
    point = G2Point.from_compressed_bytes(_bytes(text, PUBLIC_KEY_BYTES))
    if point.to_compressed_bytes().hex() != text:
        raise ValueError("it is not in its one form")
    return point


def _signature(text: str) -> G1Point:
    point = G1Point.from_compressed_bytes(_bytes(text, SIGNATURE_BYTES))
    # The value is a hash of these bytes, so no other bytes may stand for the same point.
    if point.to_compressed_bytes().hex() != text:
        raise ValueError("it is not in its one form")
    return point


def _bytes(text: str, length: int) -> bytes:
    found = bytes.fromhex(text) if len(text) == 2 * length else b""
    if found.hex() != text or not found:
        raise ValueError(f"it is not {length} bytes in lower-case hex")
    return found
