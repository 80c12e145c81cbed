"""Private keys of the development parts, which later runs find again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

Key = TypeVar("Key", Ed25519PrivateKey, RSAPrivateKey)


def load_or_generate(path: Path | None, generate: Callable[[], Key]) -> Key:
    """The key in the PEM file at `path`, which is generated and written there if there is none, so
    that what one run signs the next still accepts. Without a path: a new key, in memory only."""
    if path is None:
        return generate()
    if not path.exists():
        _write(path, generate())
    return cast(Key, load_pem_private_key(path.read_bytes(), password=None))


def _write(path: Path, key: Ed25519PrivateKey | RSAPrivateKey) -> None:
    """Write the key for its owner only: the whole of it, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with open(unfinished, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(pem)
    unfinished.replace(path)
