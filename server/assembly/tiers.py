"""The tables that the settings ask for: each tier and the variant that it plays."""

from collections.abc import Mapping, Sequence

from protocol.ids import tier_tables
from server.rules.variants import SHAPES, Variant
from server.runtime.settings import Settings


def tiers(settings: Settings) -> Mapping[int, Variant]:
    """The variant of every buy-in that is offered."""
    classic = variant(
        settings, "classic", min_players=settings.min_players, max_players=settings.max_players
    )
    grand = variant(settings, "grand", min_players=2, max_players=20)
    return dict.fromkeys(settings.buy_in_tiers, classic) | dict.fromkeys(
        settings.grand_tiers, grand
    )


def tables(settings: Settings) -> Sequence[str]:
    """The tables of all tiers that are offered."""
    count = settings.tables_per_tier
    return [table for tier in tiers(settings) for table in tier_tables(tier, count)]


def variant(settings: Settings, name: str, *, min_players: int, max_players: int) -> Variant:
    """The variant of that name, played in the time that the settings give."""
    return Variant(
        name=name,
        side=SHAPES[name].side,
        highest=SHAPES[name].highest,
        min_players=min_players,
        max_players=max_players,
        seat_ms=_ms(settings.seat_seconds),
        formation_ms=_ms(settings.formation_seconds),
        lobby_ttl_ms=_ms(settings.lobby_ttl_seconds),
        arranging_ms=_ms(settings.arranging_seconds),
        call_interval_ms=_ms(settings.call_interval_seconds),
    )


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
