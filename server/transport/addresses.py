"""Which address a request counts for. Addresses are compared as numbers, never as text: proxies
write one in many ways, and a host of IPv6 has 2**64 of them."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from server.transport.limits import Network

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_SUBSCRIBER_BITS: Final = 64
"""What a provider gives to one household or phone, at least."""


def client_address(request: web.BaseRequest, trusted_proxies: Sequence[Network]) -> str:
    """The address that limits are counted for: the peer's, or behind trusted proxies the
    right-most one of X-Forwarded-For that is not one of them; of IPv6 its network.

    Where a trusted proxy does not name an address, its own counts: that is all that is known.
    """
    address = parse_address(request.remote or "")
    if address is None:
        return ""
    for hop in reversed(_hops(request)):
        if not _is_trusted(address, trusted_proxies):
            break
        named = parse_address(hop)
        if named is None:
            break
        address = named
    return _limited(address)


def parse_address(text: str) -> IpAddress | None:
    """The address in `text`, as a peer or a proxy writes it: maybe with a port, in brackets or
    quotes, with a zone, or an IPv4 one within IPv6. None if there is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _hops(request: web.BaseRequest) -> list[str]:
    """Several headers are one list, of which empty elements are no part (RFC 9110, 5.3, 5.6.1)."""
    headers = request.headers.getall("X-Forwarded-For", ())
    return [hop for hop in ",".join(headers).split(",") if hop.strip()]


def _is_trusted(address: IpAddress, trusted_proxies: Sequence[Network]) -> bool:
    return any(address in network for network in trusted_proxies)


def _limited(address: IpAddress) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.IPv6Network((int(address), _SUBSCRIBER_BITS), strict=False))
