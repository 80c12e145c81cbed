"""The beacon that the settings name."""

from server.outside.drand import Drand
from server.runtime.clock import StoreClock
from server.runtime.settings import Settings


def beacon_of(settings: Settings, clock: StoreClock) -> Drand | None:
    """The beacon, whose rounds draws are mixed with; None without a URL."""
    if not settings.beacon_url:
        return None
    return Drand(
        settings.beacon_url,
        chain_hash=settings.beacon_chain_hash,
        public_key=settings.beacon_public_key,
        now_ms=clock.now_ms,
    )
