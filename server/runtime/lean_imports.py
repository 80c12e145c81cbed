"""Libraries, without what they import or read only because it happens to be there."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CERTIFICATES: Final = "SSL_CERT_FILE"


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Meanwhile those count as not installed for whoever imports them, unless they have been
    imported before: that is what None means there, by the reference of Python's import system."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def without_certificates() -> Iterator[None]:
    """Meanwhile OpenSSL reads an empty file in place of the certificates that this machine trusts.
    A context that is made meanwhile trusts nobody by that file."""
    given = os.environ.get(_CERTIFICATES)
    os.environ[_CERTIFICATES] = os.devnull
    try:
        yield
    finally:
        del os.environ[_CERTIFICATES]
        if given is not None:
            os.environ[_CERTIFICATES] = given
