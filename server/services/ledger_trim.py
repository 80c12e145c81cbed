"""Which entries of a ledger leave the store: the oldest of those that the books have."""

from collections.abc import Mapping
from typing import Final

from server.runtime.clock import StoreClock
from server.store.log import StreamEntry
from server.store.past_games import PastGames
from server.store.past_ledger import PastLedger, stream_position
from server.store.spent import received_of

SETTLED_STAYS_MS: Final = 5_000
"""How long a settlement stays in the store at least. Whoever settles looks into the books first and
decides within a second after that (`MAX_DECISION_AGE_MS`): so one of both shows it."""
_PAGE: Final = 500
_MOST: Final = 5_000


async def trim(
    ledger: PastLedger,
    games: PastGames,
    clock: StoreClock,
    table: str,
    before: str,
    moved_until: str,
) -> None:
    """Let go of some of a table's entries, from the first that is there (`before`) on, up to the
    last that has moved, which stays to show where the books stand; never past an entry of a lobby
    that is not over, or a settlement that is fresh."""
    gone: list[StreamEntry] = []
    first = before
    while True:
        page = await ledger.entries_between(table, first, moved_until, _PAGE)
        going, stays = await _divided(games, clock, table, page, moved_until)
        gone += going
        if stays is not None or not page:
            break
        milliseconds, sequence = stream_position(page[-1][0])
        first = f"{milliseconds}-{sequence + 1}"
        if len(gone) >= _MOST:
            stays = gone.pop()[0]
            break
    if gone and stays is not None:
        await _let_go(ledger, clock, table, before, stays, gone)


async def _divided(
    games: PastGames, clock: StoreClock, table: str, page: list[StreamEntry], moved_until: str
) -> tuple[list[StreamEntry], str | None]:
    """The entries of a page that may go, and the id of the first that stays; None: none does."""
    running = await games.running(table, sorted({_text(f, "lobby_id") for _, f in page}))
    fresh_ms = clock.now_ms() - SETTLED_STAYS_MS
    for place, (stream_id, fields) in enumerate(page):
        is_fresh = _text(fields, "kind") == "settled" and stream_position(stream_id)[0] > fresh_ms
        if is_fresh or stream_id == moved_until or fields.get("lobby_id") in running:
            return page[:place], stream_id
    return page, None


async def _let_go(
    ledger: PastLedger,
    clock: StoreClock,
    table: str,
    before: str,
    stays: str,
    gone: list[StreamEntry],
) -> None:
    settled = {_text(fields, "event") for _, fields in gone if fields.get("kind") == "settled"}
    owed = {
        stream_id: fields
        for stream_id, fields in gone
        if _text(fields, "kind") in ("payout_owed", "refund_owed") and stream_id not in settled
    }
    received = [
        payment for _, fields in gone if (payment := received_of(table, fields)) is not None
    ]
    now_ms = clock.now_ms()
    await ledger.let_go(table, before, stays, owed, settled, received, now_ms)


def _text(fields: Mapping[str, str], name: str) -> str:
    return fields.get(name, "")
