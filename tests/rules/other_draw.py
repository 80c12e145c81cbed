"""The draw once more, from its published description alone: HMAC by its definition (RFC 2104),
numbers cut out of hexadecimal text, and a shuffle that notes what it skips."""

import hashlib
from collections.abc import Iterator, Sequence


def hmac_sha256_hex(key: bytes, message: str) -> str:
    """HMAC-SHA256 of the UTF-8 of `message`, as RFC 2104 writes it down; keys up to 64 bytes."""
    block = int.from_bytes(key.ljust(64, b"\0"), "big")
    inner = (block ^ int("36" * 64, 16)).to_bytes(64, "big")
    outer = (block ^ int("5c" * 64, 16)).to_bytes(64, "big")
    first = hashlib.sha256(inner + message.encode("utf-8")).digest()
    return hashlib.sha256(outer + first).hexdigest()


def numbers(seed: bytes, message: str) -> Iterator[int]:
    """The 32-bit numbers of the stream named `message`."""
    i = 0
    while True:
        text = hmac_sha256_hex(seed, f"{message}:{i}")
        yield from [int(text[at : at + 8], 16) for at in range(0, 64, 8)]
        i += 1


def shuffle(items: Sequence[int], seed: bytes, message: str) -> tuple[list[int], list[int]]:
    """`items` shuffled, and the numbers that were skipped on the way."""
    a, skipped = list(items), []
    source = numbers(seed, message)
    j = len(a) - 1
    while j > 0:
        u = next(source)
        if u >= 2**32 - 2**32 % (j + 1):
            skipped.append(u)
            continue
        _, at = divmod(u, j + 1)
        chosen = a[at]
        a[at] = a[j]
        a[j] = chosen
        j -= 1
    return a, skipped
