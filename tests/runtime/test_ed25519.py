import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.runtime.ed25519 import Verify, openssl_verifier, sodium_verifier, verifier

PRIVATE_KEY = Ed25519PrivateKey.generate()
KEY = PRIVATE_KEY.public_key().public_bytes_raw()
MESSAGE = secrets.token_bytes(300)
SIGNATURE = PRIVATE_KEY.sign(MESSAGE)
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("make", [openssl_verifier, sodium_verifier, verifier])
def test_only_what_a_key_signed_is_verified_and_only_as_it_was_signed(make: object) -> None:
    if make is sodium_verifier:
        pytest.importorskip("nacl")
    verify: Verify = make(KEY)  # type: ignore[operator]
    assert verify(SIGNATURE, MESSAGE)
    assert verify(PRIVATE_KEY.sign(b""), b"")
    assert not verify(SIGNATURE, MESSAGE + b" ")
    assert not verify(SIGNATURE, b"")
    assert not verify(bytes(64), MESSAGE)
    for place in range(64):
        changed = bytearray(SIGNATURE)
        changed[place] ^= 1
        assert not verify(bytes(changed), MESSAGE)
    # What is signed, divided elsewhere between the signature and the message.
    whole = SIGNATURE + MESSAGE
    for end in (0, 1, 32, 63, 65, 100, len(whole)):
        assert not verify(whole[:end], whole[end:])
    # The same signature, written otherwise: whoever takes it takes one delivery for two.
    s = int.from_bytes(SIGNATURE[32:], "little") + ORDER
    assert not verify(SIGNATURE[:32] + s.to_bytes(32, "little"), MESSAGE)
