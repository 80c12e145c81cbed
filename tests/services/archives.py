"""Archives over the store of a node, games for them to move, and what they wrote."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from server.books.engine import Books
from server.services.archiving import GAMES_AT_ONCE, Archive, Moved
from tests.support.game import BRISK, TABLE, Node, calling, is_over
from tests.support.wait import until

Archives = Callable[..., Archive]
DUEL = replace(BRISK, max_players=2)


def archive_over(
    node: Node,
    books: Books,
    finished_seconds: float = 0,
    invoice_hot_seconds: float = 0,
    games_at_once: int = GAMES_AT_ONCE,
) -> Archive:
    return Archive(
        node.stores.past_ledger,
        node.stores.past_games,
        node.store,
        books,
        node.clock,
        finished_seconds=finished_seconds,
        invoice_hot_seconds=invoice_hot_seconds,
        games_at_once=games_at_once,
    )


async def play(node: Node, *pairs: tuple[str, str]) -> list[str]:
    """Games of two, all at once, to their ends."""
    async with calling(node):
        return await play_on(node, *pairs)


async def play_on(node: Node, *pairs: tuple[str, str]) -> list[str]:
    """The same on a node that calls already."""
    lobbies = [(await node.seat(*pair))[0].lobby.lobby_id for pair in pairs]
    for lobby_id in lobbies:
        await until(lambda lobby_id=lobby_id: is_over(node, lobby_id))  # type: ignore[misc]
    return lobbies


async def is_active(node: Node, lobby_id: str) -> bool:
    lobby = (await node.store.load(lobby_id)).lobby
    return lobby is not None and lobby.status == "active"


async def move_all(archive: Archive) -> Moved:
    """Move until there is no more; all that was moved."""
    total = [0, 0, 0]
    while moved := await archive.move(TABLE):
        total = [
            a + b for a, b in zip(total, (moved.entries, moved.games, moved.invoices), strict=True)
        ]
    return Moved(*total)


async def rows(books: Books, table: Any) -> list[Any]:
    async with books.connect() as connection:
        return list(await connection.execute(select(table).order_by(*table.primary_key)))
