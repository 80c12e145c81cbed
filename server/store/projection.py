"""What a change of a lobby means for the store: the writes of one commit.

Everything but the log itself follows from the lobby before and after, so the hashes always equal
the fold of the stream.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import orjson

from protocol.ids import invoice_table
from server.rules.coins import coins_text
from server.rules.events import SeatPaid, SeatTaken
from server.rules.lobby import Lobby, due_at
from server.rules.money import Movement, invoice_updates, movements
from server.rules.payments import Terms
from server.rules.views import public_fields
from server.store import codec, keys
from server.store.channels import Channels
from server.store.log import LogPosition, Record, Snapshot, encode_commit, position_fields
from server.store.spent import received_of, spent_writes

Write = tuple[Any, ...]
"""A command, its key and its arguments."""
PUBLISH_END_MS: Final = 1_000
"""How long after the end of a lobby another node publishes it, if the one that ended it has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long finished lobbies, proofs and invoices are kept, in seconds. With `books`, until they
    were moved there, whenever that is."""

    finished_seconds: float
    proof_seconds: float
    invoice_seconds: float
    books: bool = False


class Projection:
    """Turns changes into writes. `coin_decimals`: how many decimals a coin has in the amounts of
    new invoices, which are in the token's smallest unit; `terms`: how those are to be paid."""

    def __init__(
        self, retention: Retention, coin_decimals: int, terms: Terms, channels: Channels
    ) -> None:
        self._retention = retention
        self._unit = 10**coin_decimals
        self._terms = terms
        self._channels = channels

    def writes(
        self,
        before: Snapshot,
        records: Sequence[tuple[Record, Lobby]],
        table: str,
        further: Iterable[Write] = (),
        *,
        publishes: bool = True,
    ) -> Iterator[Write]:
        """All writes of the change from `before` over `records`, and `further` ones. Unless the
        commit `publishes` it, the lobby stays among the timers until a node has: see
        `end_published`.

        The log comes first: `XADD` is the only write that can still fail here, if an entry of that
        id is there already. The further writes, about a delivery of a payment, are next.
        """
        position, after = records[-1][0].position, records[-1][1]
        lobby_id = after.lobby_id
        for record, _ in records:
            yield ("XADD", keys.events(lobby_id), record.position.id, *_flat(record.fields))
        yield from further
        yield from _state(before.lobby, after, position)
        lobby = before.lobby
        for record, following in records:
            yield from self._invoices(lobby_id, lobby, following, record)
            if lobby is not None:
                for movement in movements(lobby, record.event):
                    yield from ledger_writes(
                        table, lobby_id, movement, record.position.at_ms, record.position.id
                    )
            lobby = following
        yield from _indexes(before.lobby, after, table)
        if not publishes:
            until_ms = records[-1][0].position.at_ms + PUBLISH_END_MS
            yield ("ZADD", keys.timers(table), until_ms, lobby_id)
        if after.status == "finished":
            yield from self._expiries(after, records[-1][0], table)
        if publishes:
            was_forming = before.lobby is None or before.lobby.status == "forming"
            yield from self._publications(
                Snapshot(after, position), [record for record, _ in records], table, was_forming
            )

    def end_published(
        self, end: Snapshot, records: Sequence[Record], table: str
    ) -> Iterator[Write]:
        """What publishes the end of a lobby, of which `records` are the last. Doing so twice does
        no harm."""
        yield from self._publications(end, records, table, True)

    def _publications(
        self, changed: Snapshot, records: Sequence[Record], table: str, was_forming: bool
    ) -> Iterator[Write]:
        lobby = changed.lobby
        assert lobby is not None  # noqa: S101 - something happened to it
        channel = self._channels.publish
        yield (channel, keys.events(lobby.lobby_id), encode_commit(records))
        if lobby.status == "forming" or was_forming:
            view = public_fields(lobby, changed.position.seq)
            del view["rules"]  # who does not know them yet looks them up
            yield (channel, keys.front_desk(table), orjson.dumps(view).decode())

    def _invoices(
        self, lobby_id: str, before: Lobby | None, after: Lobby, record: Record
    ) -> Iterator[Write]:
        if isinstance(record.event, SeatTaken):
            is_new = before is None or record.event.alien_id not in before.invoices
            yield from self._issued(after, record.event, is_new=is_new)
        if isinstance(record.event, SeatPaid):
            yield ("HSET", keys.invoice(record.event.invoice_id), "tx_hash", record.event.tx_hash)
        if before is None:
            return
        for update in invoice_updates(before, record.event):
            key = keys.invoice(update.invoice_id)
            yield ("HSET", key, "status", update.status)
            if update.refunded:
                yield ("HSET", key, "refunded_units", self._units(before))
            yield from self.closed_invoice(update.invoice_id, record.position.at_ms)

    def closed_invoice(self, invoice_id: str, at_ms: float) -> Iterator[Write]:
        """What a change of a closed invoice at `at_ms` (Unix ms) means for how long it is kept."""
        if self._retention.books:
            table = invoice_table(invoice_id) or ""
            yield ("ZADD", keys.closed_invoices(table), at_ms, invoice_id)
            yield ("PERSIST", keys.invoice(invoice_id))
        else:
            yield ("PEXPIRE", keys.invoice(invoice_id), _ms(self._retention.invoice_seconds))

    def _issued(self, lobby: Lobby, seat: SeatTaken, *, is_new: bool) -> Iterator[Write]:
        key = keys.invoice(seat.invoice_id)
        invoice = {
            "invoice_id": seat.invoice_id,
            "alien_id": seat.alien_id,
            "lobby_id": lobby.lobby_id,
            "status": "pending",
            "expires_at": codec.text(seat.expires_at),
            "client_seed": seat.client_seed,
            "takes_test": codec.text(seat.takes_test),
            "tx_hash": "",
        }
        terms = {
            "amount": self._units(lobby),
            "recipient": self._terms.recipient,
            "token": self._terms.token,
            "network": self._terms.network,
            "created_at": codec.text(seat.joined_at),
            "version": "0",
        }
        if is_new:
            yield ("HSET", key, *_flat(invoice | terms))
        else:  # it may be an earlier invoice of the player, whose terms stay what they were
            yield ("HSET", key, *_flat(invoice))
            for name, term in terms.items():
                yield ("HSETNX", key, name, term)
        if not self._retention.books:  # else it stays until it is closed, and moves
            yield ("PEXPIRE", key, _ms(self._retention.invoice_seconds))

    def _units(self, lobby: Lobby) -> str:
        """The buy-in in the smallest unit; as text, since it may be more than 64 bits can hold."""
        return str(lobby.buy_in_amount * self._unit)

    def _expiries(self, lobby: Lobby, end: Record, table: str) -> Iterator[Write]:
        """From its end on a lobby expires, its proof later; with the books, when it has moved."""
        lobby_id = lobby.lobby_id
        if self._retention.books:
            yield ("ZADD", keys.ended(table), end.position.at_ms, lobby_id)
        else:
            kept_ms = _ms(self._retention.finished_seconds)
            yield ("PEXPIRE", keys.lobby(lobby_id), kept_ms)
            yield ("PEXPIRE", keys.numbers_called(lobby_id), kept_ms)
            yield ("PEXPIRE", keys.events(lobby_id), kept_ms)
            for alien_id in lobby.players:
                yield ("PEXPIRE", keys.player(lobby_id, alien_id), kept_ms)
        proof = orjson.loads(end.message or "{}").get("proof")  # making it anew would cost more
        if proof is not None:
            yield ("SET", keys.proof(lobby_id), orjson.dumps(proof).decode())
            if not self._retention.books:
                yield ("PEXPIRE", keys.proof(lobby_id), _ms(self._retention.proof_seconds))


def ledger_writes(
    table: str, lobby_id: str, movement: Movement, at_ms: float, event_id: str | None
) -> Iterator[Write]:
    """A movement as an entry of the ledger, from a payment or from the lobby's event; what a player
    paid also as what counts against their limits."""
    named = {
        "kind": movement.kind,
        "amount": coins_text(movement.amount),
        "lobby_id": lobby_id,
        "invoice_id": movement.invoice_id,
        "alien_id": movement.alien_id,
        "at": repr(at_ms),
        "event": movement.tx or event_id,
        "test": "true" if movement.test else None,
    }
    present = {name: value for name, value in named.items() if value is not None}
    yield ("XADD", keys.ledger(table), "*", *_flat(present))
    received = received_of(table, present)
    if received is not None:
        yield from spent_writes(received)


def _state(before: Lobby | None, after: Lobby, position: LogPosition) -> Iterator[Write]:
    changed = codec.lobby_hash(after, before) | position_fields(position)
    yield ("HSET", keys.lobby(after.lobby_id), *_flat(changed))
    seated = {} if before is None else before.players
    for alien_id, player in after.players.items():
        known = seated.get(alien_id)
        changes = {} if known is player else codec.player_hash(player, known)
        if changes:
            yield ("HSET", keys.player(after.lobby_id, alien_id), *_flat(changes))
    for alien_id in seated.keys() - after.players.keys():
        yield ("DEL", keys.player(after.lobby_id, alien_id))
    called = after.called[len(before.called) if before is not None else 0 :]
    if called:
        yield ("RPUSH", keys.numbers_called(after.lobby_id), *called)


def _indexes(before: Lobby | None, after: Lobby, table: str) -> Iterator[Write]:
    lobby_id, forming = after.lobby_id, after.status == "forming"
    due = due_at(after)
    if due is None:
        yield ("ZREM", keys.timers(table), lobby_id)
    elif before is None or due_at(before) != due:
        yield ("ZADD", keys.timers(table), due, lobby_id)
    if before is None or (before.status == "forming") != forming:
        yield _member(keys.active_lobbies(table), lobby_id, after.created_at if forming else None)
    if forming or (before is not None and before.status == "forming"):
        rank = opening_rank(after) if forming and not after.full else None
        yield _member(keys.openings(table), lobby_id, rank)
    had = before.players.keys() if before is not None and before.status == "forming" else set()
    have = after.players.keys() if forming else set()
    for alien_id in had - have:
        yield ("HDEL", keys.seats(table, alien_id), lobby_id)
    for alien_id in have - had:
        joined_at = after.players[alien_id].joined_at
        yield ("HSET", keys.seats(table, alien_id), lobby_id, joined_at)


def opening_rank(lobby: Lobby) -> int:
    """Ranks the fullest last and, of equals, the oldest; exact as a double for 900 seats."""
    return len(lobby.players) * 10**13 - lobby.created_at


def _member(key: str, member: str, score: int | None) -> Write:
    return ("ZREM", key, member) if score is None else ("ZADD", key, score, member)


def _flat(values: Mapping[str, str]) -> Iterable[str]:
    return chain.from_iterable(values.items())


def _ms(seconds: float) -> int:
    """Whole milliseconds, rounded down."""
    return int(seconds * 1000)
