"""Which Ed25519 public keys are fit to trust, whoever published them."""


def is_usable_key(key: bytes) -> bool:
    """Whether these are the 32 bytes of a point of the curve that only its owner can sign for.

    `cryptography` takes what is no point, and the points of small order, all zeros among them, for
    which anyone can make a signature. RFC 8032 5.1.3: y and the sign of x stand for a point if
    x**2 = (y**2 - 1) / (d y**2 + 1) has a root. Its order is 1, 2, 4 or 8 exactly if x = 0 (the
    criterion for a root other than 0 leaves it out), y = 0 or x**2 = -y**2.
    """
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p)
    y = int.from_bytes(key, "little") % 2**255
    x_squared = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    order_4_or_8 = y * (x_squared + y * y) % p == 0
    return len(key) == 32 and y < p and pow(x_squared, (p - 1) // 2, p) == 1 and not order_4_or_8
