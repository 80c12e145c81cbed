"""How much clients may ask for, by the settings."""

from typing import Final

from server.runtime.settings import Settings
from server.transport.limits import Rate, SocketLimits

JOIN_BURST: Final = 10
"""As many lobbies as a person may want to sit in at once, and to change their mind about."""


def join_limit(settings: Settings) -> Rate:
    """The new seats of one player, over sockets and HTTP together."""
    return Rate(settings.join_rate, max(JOIN_BURST, 2 * settings.join_rate))


def http_limit(settings: Settings) -> Rate:
    """The HTTP requests of one player."""
    return _rate(settings.http_rate)


def socket_limits(settings: Settings) -> SocketLimits:
    """The limits of sockets."""
    return SocketLimits(
        messages=_message_rate(settings),
        connects_by_address=_rate(settings.connect_rate),
        max_sockets=settings.max_sockets,
        sockets_per_player=settings.sockets_per_player,
        client_buffer_bytes=settings.client_buffer_bytes,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        allowed_origins=frozenset(settings.allowed_origins) or None,
        trusted_proxies=settings.trusted_proxies,
    )


def _rate(per_second: float) -> Rate:
    return Rate(per_second, max(1, 2 * per_second))  # a burst below 1 would never let anybody in


def _message_rate(settings: Settings) -> Rate:
    """Either number being 0 switches the limit off."""
    limited = settings.message_burst > 0
    return Rate(settings.message_rate if limited else 0, settings.message_burst)
