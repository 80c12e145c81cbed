"""Whose word is taken for who another server is."""

import os
import ssl
from functools import cache

import certifi


@cache
def authorities() -> ssl.SSLContext:
    """Those that Mozilla trusts, unless the environment names others, as OpenSSL reads it. All
    clients of a process share them."""
    file, directory = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or directory:
        return ssl.create_default_context(cafile=file or None, capath=directory or None)
    return ssl.create_default_context(cafile=certifi.where())
