"""Whose word is taken for who another server is."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Those that httpx trusts by itself. All clients of a process share them: to read their
    certificates takes longer than all else that makes a client."""
    return httpx.create_ssl_context()
