"""The tables of the books, as the latest migration leaves them.

Coins are `numeric`, since fractions of a coin may be owed; times are `timestamptz`, which hold
microseconds, as the logs do. README.md beside this file describes what analysts may read.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


cursors: Final = Table(
    "cursors",
    metadata,
    Column("table_name", Text, primary_key=True),
    Column("last_id", Text, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    _time("moved_at", nullable=True),
    comment="How far each table's ledger has moved. Whoever locks a row moves that table.",
)

games: Final = Table(
    "games",
    metadata,
    Column("lobby_id", Text, primary_key=True),
    Column("table_name", Text, nullable=False),
    Column("buy_in_amount", BigInteger, nullable=False),
    Column("variant", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("winner", Text),
    Column("pattern", Text),
    Column("pot", Numeric, nullable=False),
    Column("player_count", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at"),
    Column("server_seed_hash", Text, nullable=False),
    Column("log_hash", Text, nullable=False),
    # Not jsonb: the hash of a proof is over its fields in their order.
    Column("proof", JSON(none_as_null=True)),
    Index(None, "finished_at", "lobby_id"),
    comment="Every lobby that is over.",
)

records: Final = Table(
    "records",
    metadata,
    Column("lobby_id", Text, ForeignKey(games.c.lobby_id), primary_key=True),
    Column("log", JSON, nullable=False),
    Column("hash", Text, nullable=False),
    comment="The whole log of each game, entry by entry, and the hash of its last entry.",
)

seats: Final = Table(
    "seats",
    metadata,
    Column("lobby_id", Text, ForeignKey(games.c.lobby_id), primary_key=True),
    Column("alien_id", Text, primary_key=True),
    Column("kicked", Boolean, nullable=False),
    Column("left_early", Boolean, nullable=False),
    Column("won", Boolean, nullable=False),
    Column("paid_in", Numeric, nullable=False),
    Column("paid_out", Numeric, nullable=False),
    # As in `games`: a player's games are read latest first.
    _time("finished_at"),
    Index(None, "alien_id", "finished_at", "lobby_id"),
    comment="Who sat in a lobby when it ended, and what it cost and brought them.",
)

standings: Final = Table(
    "standings",
    metadata,
    Column("alien_id", Text, primary_key=True),
    Column("buy_in_amount", BigInteger, primary_key=True, autoincrement=False),
    Column("games", BigInteger, nullable=False),
    Column("won", BigInteger, nullable=False),
    Column("coins_won", Numeric, nullable=False),
    comment="What each player played and won in all, by tier. A trigger on `seats` counts,"
    " whichever version moves the games.",
)

daily_standings: Final = Table(
    "daily_standings",
    metadata,
    Column("alien_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("buy_in_amount", BigInteger, primary_key=True, autoincrement=False),
    Column("games", BigInteger, nullable=False),
    Column("won", BigInteger, nullable=False),
    Column("coins_won", Numeric, nullable=False),
    comment="What each player played and won on each day (UTC), by tier. A trigger on `seats`"
    " counts, whichever version moves the games.",
)

ledger: Final = Table(
    "ledger",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("table_name", Text, nullable=False),
    Column("stream_ms", BigInteger, nullable=False),
    Column("stream_seq", BigInteger, nullable=False),
    # Null in an entry that is malformed: it moves as it stands, and `audit` names it.
    Column("kind", Text),
    Column("amount", Numeric),
    Column("lobby_id", Text),
    Column("invoice_id", Text),
    Column("alien_id", Text),
    _time("at", nullable=True),
    Column("event", Text),
    Column("test", Boolean, nullable=False),
    Column("reference", Text),
    # The entry as it stood in the stream, and the chain over all of its table before it.
    Column("fields", JSON, nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "table_name", "stream_ms", "stream_seq", unique=True),
    Index(None, "alien_id", "at", "entry_id"),
    Index(None, "lobby_id"),
    # The owed entry that a settlement settles. Not unique: whatever the stream had is here, and
    # `audit` reports a debt that was settled twice.
    Index(
        "ledger_settled_idx",
        "table_name",
        "event",
        postgresql_where=text("kind = 'settled'"),
    ),
    comment="Every movement of money, in the order of its table's stream.",
)

invoices: Final = Table(
    "invoices",
    metadata,
    Column("invoice_id", Text, primary_key=True),
    Column("lobby_id", Text, nullable=False),
    Column("alien_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("fields", JSON, nullable=False),
    Index(None, "alien_id"),
    comment="Closed invoices, as the store had them.",
)

unmatched: Final = Table(
    "unmatched",
    metadata,
    Column("tx", Text, primary_key=True),
    Column("body", Text, nullable=False),
    comment="Payments that belong to no invoice: the transaction and what was delivered.",
)

profiles: Final = Table(
    "profiles",
    metadata,
    Column("alien_id", Text, primary_key=True),
    Column("listed", Boolean, nullable=False),
    comment="What players want to be known of them: whether they are shown among the best.",
)

payouts: Final = Table(
    "payouts",
    metadata,
    Column("payout_id", Text, primary_key=True),
    Column("entry_id", Text, nullable=False, unique=True),
    Column("table_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alien_id", Text, nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("lobby_id", Text),
    Column("invoice_id", Text),
    _time("owed_at"),
    Column("status", Text, nullable=False, server_default="due"),
    Column("reference", Text),
    Column("reason", Text),
    Column("in_doubt", Boolean, nullable=False, server_default=text("false")),
    Column("by_hand", Boolean, nullable=False, server_default=text("false")),
    Column("approved_by", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # How often the service was asked, in all and since there was something new.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    # What was sent first: whatever the settings are by now, it is sent again as it was.
    Column("body", Text),
    Column("next_at", DateTime(timezone=True), server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # When its coins were counted for the limit of an hour.
    _time("counted_at", nullable=True),
    Index(None, "lobby_id", "alien_id"),
    # What is open is found at once, however many are settled.
    Index("payouts_open_idx", "status", "next_at", postgresql_where=text("status <> 'settled'")),
    Index("payouts_oldest_idx", "owed_at", postgresql_where=text("status <> 'settled'")),
    comment="Every debt that is no test, and how far its payment is. A trigger on `ledger` adds"
    " them, whichever version moves the ledger.",
)

payout_control: Final = Table(
    "payout_control",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("paused", Text),
    Column("problem", Text),
    Column("changed_by", Text),
    _time("changed_at", nullable=True),
    Column("refused_in_a_row", Integer, nullable=False),
    comment="Whether payouts pause, and why: one row.",
)

payout_minutes: Final = Table(
    "payout_minutes",
    metadata,
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("coins", Numeric, nullable=False),
    comment="What was sent in each minute of the last hour, where an hour has a limit.",
)

addresses: Final = Table(
    "addresses",
    metadata,
    Column("alien_id", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    _time("first_at"),
    _time("last_at"),
    _time("kept_until"),
    Index(None, "kept_until"),
    comment="Which addresses players came from, as long as ADDRESS_DAYS says.",
)

operator_actions: Final = Table(
    "operator_actions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _time("at"),
    Column("operator", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # Not jsonb: the hash of an entry is over its fields in their order.
    Column("details", JSON(none_as_null=True)),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    comment="What operators did, in a chain: a copy of the store's operator_log.",
)
