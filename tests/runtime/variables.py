"""The variables that a server cannot do without, and what is said of wrong ones."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.runtime.settings import SettingsError, load_settings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
REQUIRED = {
    "REDIS_URL": "redis://:hunter2@localhost:6379/0",
    "ALIEN_PROVIDER_ADDRESS": "00000003provider",
    "WEBHOOK_PUBLIC_KEY": KEY.hex(),
}


def error_of(**variables: str) -> str:
    with pytest.raises(SettingsError) as raised:
        load_settings(REQUIRED | variables)
    return str(raised.value)
