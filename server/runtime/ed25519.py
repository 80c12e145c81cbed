"""Ed25519: whether a key signed something, and which public keys are fit to trust at all.

libsodium checks a signature in 0.4 of the time that OpenSSL takes (RFC 8032 both). A server whose
sources are newer than what is installed beside them has OpenSSL's all the same.
"""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

try:
    from nacl import bindings, exceptions

    HAS_SODIUM = True
except ImportError:
    HAS_SODIUM = False

SIGNATURE_BYTES: Final = 64

Verify = Callable[[bytes, bytes], bool]
"""Whether a signature is one of a message: `verify(signature, message)`."""


def verifier(key: bytes) -> Verify:
    """What checks signatures of a usable key."""
    return sodium_verifier(key) if HAS_SODIUM else openssl_verifier(key)


def sodium_verifier(key: bytes) -> Verify:
    """Of libsodium."""

    def verify(signature: bytes, message: bytes) -> bool:
        # It takes both as one: what a shorter signature lacks it would take from the message.
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            bindings.crypto_sign_open(signature + message, key)
        except exceptions.BadSignatureError:
            return False
        return True

    return verify


def openssl_verifier(key: bytes) -> Verify:
    """Of OpenSSL."""
    public_key = Ed25519PublicKey.from_public_bytes(key)

    def verify(signature: bytes, message: bytes) -> bool:
        try:
            public_key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


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
