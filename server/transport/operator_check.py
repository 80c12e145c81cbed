"""Which operator a request is of, by the token that it carries."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from protocol.errors import ErrorCode, Refused
from protocol.operators import Role, may
from server.runtime.ops_tokens import OpsToken
from server.transport.addresses import client_address
from server.transport.headers import credentials
from server.transport.limits import Network, RateByKey

_SAFE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class KnownOperator:
    """Who asks, and in which role."""

    name: str
    role: Role


class OperatorCheck:
    """Knows the operators of `tokens`. An address whose tokens were refused more often than
    `failures` allows gets `rate_limited`, whatever it sends. `open_to`: whom everybody is, if there
    is no token at all (development)."""

    def __init__(
        self,
        tokens: Sequence[OpsToken],
        failures: RateByKey,
        trusted_proxies: Sequence[Network],
        open_to: KnownOperator | None = None,
    ) -> None:
        self._known = [(_digest(each.token), each) for each in tokens]
        self._failures = failures
        self._trusted_proxies = trusted_proxies
        self._open_to = None if tokens else open_to

    def operator(self, request: web.Request, least: Role = "viewer") -> KnownOperator | Refused:
        """Who asks, if they may do what `least` may. The token comes as a bearer's or, as browsers
        send what they asked their user for, as a password; as that it changes nothing for the pages
        of others, which browsers would send it for as well."""
        bearer = credentials(request, "bearer")
        if bearer is None and not _is_of_own_page(request):
            return Refused(ErrorCode.UNAUTHORIZED)
        known = self._open_to or self._of_token(bearer or _password(request), request)
        if isinstance(known, Refused) or may(known.role, least):
            return known
        return Refused(ErrorCode.FORBIDDEN)

    def _of_token(self, given: str, request: web.Request) -> KnownOperator | Refused:
        if not given:
            return Refused(ErrorCode.UNAUTHORIZED)
        address = client_address(request, self._trusted_proxies)
        if not self._failures.would_allow(address):
            return Refused(ErrorCode.RATE_LIMITED)
        digest = _digest(given)
        # Each is compared, and all of it: so the time it takes reveals nothing.
        found = [each for known, each in self._known if hmac.compare_digest(known, digest)]
        if not found:
            self._failures.allow(address)
            return Refused(ErrorCode.UNAUTHORIZED)
        return KnownOperator(found[0].name, found[0].role)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _password(request: web.Request) -> str:
    """The password of HTTP's basic authentication (RFC 7617); empty if there is none."""
    try:
        given = base64.b64decode(credentials(request, "basic") or "", validate=True)
        return given.decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _is_of_own_page(request: web.Request) -> bool:
    """Whether the request only looks, or comes from a page of ours or from no browser. The scheme
    is of no matter: behind a proxy nobody knows it."""
    if request.method in _SAFE:
        return True
    origins = request.headers.getall("Origin", ())
    return all(urlsplit(origin).netloc.lower() == request.host.lower() for origin in origins)
