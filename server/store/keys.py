"""Every key and channel: its name, its type, and who deletes it.

All keys of one table carry the table as hash tag, so that they share a slot of a cluster and one
script may change them together.
"""

from functools import lru_cache
from typing import Final

from protocol.ids import invoice_table, lobby_table

TABLES: Final = "tables"  # set: every table that ever opened a lobby; never expires
NODES: Final = "nodes"  # hash: the samples of each node; a node that is gone is deleted
LIMITED: Final = "limited"  # set: players who ever set themselves limits; never expires
UNMATCHED: Final = "unmatched"  # hash: raw deliveries by transaction; never expires

OPERATOR_LOG: Final = "operator_log"  # stream: every action of an operator; never expires
MASTER_RESTRICTIONS: Final = "restrictions:{operator_log}"
"""Hash: `number` and `head` (the hash) of the log's last entry, the restrictions and their
`version`, the announcements that stand, and which actions at lobbies are in the log; never
expires."""
OPERATORS: Final = "front_desk:{operator_log}"
"""Channel: the number of the last entry of the operators' log. Whoever may use the channels of
front desks may use it."""


def lobby(lobby_id: str) -> str:
    """Hash: the lobby. Expires after the end."""
    return f"lobby:{{{lobby_table(lobby_id)}}}:{lobby_id}"


def player(lobby_id: str, alien_id: str) -> str:
    """Hash: one player of a lobby. Deleted when a seat is given up, else expires with the lobby."""
    return f"{lobby(lobby_id)}:player:{alien_id}"


def numbers_called(lobby_id: str) -> str:
    """List: the numbers called, in order. Expires with the lobby."""
    return f"{lobby(lobby_id)}:numbers_called"


def events(lobby_id: str) -> str:
    """Stream: all events of the lobby, and the lobby's channel. Expires with the lobby."""
    return f"{lobby(lobby_id)}:events"


def proof(lobby_id: str) -> str:
    """String: the proof as JSON. Outlives the lobby."""
    return f"proof:{{{lobby_table(lobby_id)}}}:{lobby_id}"


def active_lobbies(table: str) -> str:
    """Sorted set: forming lobbies by their creation in Unix ms."""
    return f"active_lobbies:{{{table}}}"


def openings(table: str) -> str:
    """Sorted set: forming lobbies with a free seat, the fullest and then the oldest last."""
    return f"openings:{{{table}}}"


def timers(table: str) -> str:
    """Sorted set: lobbies by their next due time in Unix ms."""
    return f"timers:{{{table}}}"


def seats(table: str, alien_id: str) -> str:
    """Hash: the forming lobbies of the table in which a player holds a seat, with its start in
    Unix ms. Emptied, and so gone, when they stop forming."""
    return f"seats:{{{table}}}:{alien_id}"


@lru_cache(maxsize=4096)  # asked eight times from a seat to its payment
def invoice(invoice_id: str) -> str:
    """Hash: an invoice. Expires long after its lobby. Raises ValueError for a foreign id."""
    table = invoice_table(invoice_id)
    if table is None:
        raise ValueError(f"not an invoice id: {invoice_id!r}")
    return f"invoice:{{{table}}}:{invoice_id}"


def ledger(table: str) -> str:
    """Stream: every movement of money. Never expires."""
    return f"ledger:{{{table}}}"


def settled(table: str) -> str:
    """Hash: references of the ledger's settled entries by their stream ids. With the books, of
    those that are not there yet."""
    return f"settled:{{{table}}}"


def reception(node: str) -> str:
    """Channel: what a node says to itself. Whoever may use the channels of front desks may use
    it."""
    return f"front_desk:node:{node}"


def checkpoint(table: str) -> str:
    """Hash: `last_id` of the ledger's head that is in the books only, and what is owed in it, by
    stream id. Only with the books."""
    return f"checkpoint:{{{table}}}"


def ended(table: str) -> str:
    """Sorted set: lobbies that are over and not in the books, by their end in Unix ms. Only with
    the books."""
    return f"ended:{{{table}}}"


def closed_invoices(table: str) -> str:
    """Sorted set: closed invoices that are not in the books, or not as they are now, by their last
    change in Unix ms. Only with the books."""
    return f"closed_invoices:{{{table}}}"


def restrictions(table: str) -> str:
    """Hash: the table's copy of the restrictions that operators ordered, and their `version`. Never
    expires."""
    return f"restrictions:{{{table}}}"


def operator_outbox(table: str) -> str:
    """Hash: what operators did to lobbies of the table and is not in their log yet, by its id."""
    return f"operator_outbox:{{{table}}}"


def confirmation(table: str) -> str:
    """String: written so that the replicas' answer covers all that was there before it. Only with
    STORE_REPLICAS; never expires."""
    return f"confirmation:{{{table}}}"


def payouts(table: str) -> str:
    """Channel: each debt that was settled. Whoever may use the channels of front desks may use
    it."""
    return f"front_desk:payouts:{{{table}}}"


def spent(table: str, alien_id: str) -> str:
    """Sorted set: what a player paid at a table, by Unix ms. Expires 30 days after the last of it;
    with the books what has moved is not there, unless the player is in `LIMITED`."""
    return f"spent:{{{table}}}:{alien_id}"


def limits(alien_id: str) -> str:
    """Hash: the limits that a player has set. Never expires."""
    return f"limits:{{{alien_id}}}"


def seating(alien_id: str) -> str:
    """String: who is at seating a player with limits. Expires within seconds."""
    return f"seating:{{{alien_id}}}"


def front_desk(table: str) -> str:
    """Channel: the public view of each lobby of the table that forms or just stopped forming,
    without its `rules`: they never change, and the version before accepts no such field."""
    return f"front_desk:{{{table}}}"
