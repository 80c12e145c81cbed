"""What the books take on disk."""

from typing import Final

import psycopg

TABLES: Final = (
    *("games", "records", "seats", "ledger", "invoices", "payouts"),
    *("standings", "daily_standings"),
)


def sizes_per_game(url: str) -> list[str]:
    """A line for each table that has rows: how many rows and bytes, indexes included, there are for
    each game, of which there has to be one."""
    lines = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        games = _number(connection, "SELECT count(*) FROM games")
        for table in TABLES:
            rows = _number(connection, f"SELECT count(*) FROM {table}")  # noqa: S608 - a constant
            size_bytes = _number(connection, f"SELECT pg_total_relation_size('{table}')")
            if rows:
                per_game = f"{rows / games:.1f} rows and {size_bytes / games:.0f} bytes"
                lines.append(f"{table}: {per_game} a game")
    return lines


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])
