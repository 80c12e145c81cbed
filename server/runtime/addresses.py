"""Texts of the environment that name something: checked as whoever gets them will check them.

Each function raises ValueError, whose text quotes nothing: there may be a password in it.
"""

import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from redis import RedisError
from redis.asyncio import ConnectionPool
from yarl import URL

from server.runtime.store_url import read_store_url

_REDIS_OPTIONS: Final = {"db", "username", "password", "client_name"}
_TLS_FILES: Final = {"ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile"}
_TLS_OPTIONS: Final = _TLS_FILES | {
    *("ssl_ca_data", "ssl_cert_reqs", "ssl_check_hostname", "ssl_min_version", "ssl_password"),
}
_DATABASE: Final = re.compile(r"[0-9]{1,9}")
_WORD: Final = re.compile(r"[!-~]+")


def http_url(url: str) -> str:
    """A URL that can be fetched."""
    if not (_is_url(url, "http", "https") and _is_word(url)):
        raise ValueError("must be a URL that starts with http or https")
    try:
        URL(url).origin()
    except ValueError:
        raise ValueError("is a URL that nobody can fetch") from None
    return url


def redis_url(url: str) -> str:
    """A URL of the store, of which every part is heeded: see `read_store_url`."""
    _check_plain(read_store_url(url).template)
    return url


def _check_plain(url: str) -> None:
    """That redis-py takes the URL, and heeds every part."""
    if not _is_url(url, "redis", "rediss", "unix"):
        raise ValueError(
            "must be a URL that starts with redis, rediss or unix, or with redis or rediss and"
            " +sentinel or +cluster"
        )
    parts = urlsplit(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    known = _REDIS_OPTIONS | (_TLS_OPTIONS if parts.scheme == "rediss" else set())
    # Others would undo what the connection relies on, such as its time-outs.
    if strange := sorted(options.keys() - known):
        raise ValueError(f"has options other than {', '.join(sorted(known))}: {len(strange)}")
    path = "" if parts.scheme == "unix" else parts.path.removeprefix("/")
    for number in (path, *options.get("db", [])):
        if number and not _DATABASE.fullmatch(number):
            raise ValueError("must name its database by a number")
    for name in options.keys() & _TLS_FILES:
        if not Path(options[name][0]).exists():
            raise ValueError(f"names a file in {name} that is not there")
    try:
        pool: Any = ConnectionPool.from_url(url)  # which has no types
        pool.make_connection()
    except (ValueError, TypeError, RedisError):  # whose text quotes the URL
        raise ValueError("has an option with a value that is none") from None


def postgres_url(url: str) -> str:
    """A URL of PostgreSQL, with a host or the directory of a socket."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be a URL that starts with postgresql") from None
    if parts.scheme not in ("postgresql", "postgres") or port == 0 or len(parts.path) < 2:
        raise ValueError("must be like postgresql://user@host/database")
    return url.replace("postgres://", "postgresql://", 1)


def _is_url(url: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # whose text quotes the URL, and with it perhaps a part of a password
        return False
    location = parts.path if parts.scheme == "unix" else parts.hostname
    return parts.scheme in schemes and bool(location) and port != 0


def origin(text: str) -> str:
    """What a browser sends as `Origin`: anything else in the list would never match."""
    text = text.lower()
    if "*" in text or not _is_word(text) or not _is_origin(text):
        raise ValueError(
            "must be like https://play.example, without a path, without *, without the port that"
            " goes without saying, and a name of other letters as xn--"
        )
    return text


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
    usual = {"http": 80, "https": 443}.get(parts.scheme, 0)
    return plain and "@" not in text and not text.endswith(":") and port not in (0, usual)


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None


def word(text: str) -> str:
    """What stands in a header, or is compared with what stands in a token or a delivery."""
    if not _is_word(text):
        raise ValueError("must be of letters, digits and signs of ASCII, without a space")
    return text


def host(text: str) -> str:
    """An address, or a name that a resolver takes."""
    if not _is_word(text) or any(len(label) > 63 for label in text.split(".")):
        raise ValueError("must be an address or a host name")
    return text
