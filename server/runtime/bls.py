"""Which public keys of a beacon are fit to trust, whoever published them."""

from py_arkworks_bls12381 import G2Point


def is_usable_key(key: bytes) -> bool:
    """Whether these are the 96 bytes of a point of BLS12-381's G2 that is not the neutral one,
    under which anybody's signature would do."""
    try:
        return G2Point.from_compressed_bytes(key) != G2Point.identity()
    except ValueError:
        return False
