"""Every question that is asked of the books finds its answer by an index, however many rows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books import payout_control, payouts
from server.books.engine import open_books
from server.books.leaderboard import leaders_query
from server.books.of_players import MovementPlace, games_query, statement_query
from server.books.reading import proofs_query, received_query
from server.rules.payouts import WAITING

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

FILL_SECONDS = 1_200
"""For so long a machine may fill the books that is slow and has other work as well."""
_FILL = (
    "INSERT INTO games SELECT 'lobby_' || n, '3500', 3500, 'classic', 'won', 'p' || n % 1000,"
    " 'row_0', 7000, 2, 9, at, at, at, 'h', 'h', '{}'"
    " FROM (SELECT n, timestamptz '2025-01-01' + n * interval '1 min' AS at"
    " FROM generate_series(1, 100000) AS n) AS made",
    "INSERT INTO seats SELECT lobby_id, 'p' || substr(lobby_id, 7)::int % 1000, false, false, true,"
    " 3500, 7000, finished_at FROM games",
    "INSERT INTO ledger SELECT '3500:' || n || '-0', '3500', n, 0,"
    " (ARRAY['received', 'payout_owed', 'settled'])[1 + n % 3], 3500, 'lobby_' || n, 'i',"
    " 'p' || n % 1000, timestamptz '2025-01-01' + n * interval '1 min',"
    " CASE WHEN n % 3 = 2 THEN (n - 1) || '-0' ELSE 'tx' END, false, null, '{}', 'h'"
    " FROM generate_series(1, 100000) AS n",
    "INSERT INTO records SELECT lobby_id, '[]', 'h' FROM games",
    "INSERT INTO invoices SELECT 'i' || n, 'l', 'p', 'paid', 0, '{}'"
    " FROM generate_series(1, 100000) AS n",
    "INSERT INTO payouts (payout_id, entry_id, table_name, kind, alien_id, amount, lobby_id,"
    " owed_at, status, next_at)"
    " SELECT 'po_' || n, '3500:p' || n, '3500', 'payout', 'p' || n % 1000, 7000,"
    " 'lobby_' || n, now(), CASE WHEN n % 1000 = 0 THEN"
    " (ARRAY['due', 'sending', 'sent', 'refused', 'held', 'unknown'])[1 + n / 1000 % 6]"
    " ELSE 'settled' END, CASE WHEN n % 1000 = 0 THEN now() END"
    " FROM generate_series(1, 100000) AS n",
    "INSERT INTO profiles SELECT 'p' || n, true FROM generate_series(1, 10) AS n",
    "ANALYZE",
)


@pytest.fixture
async def many(books_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection to books with very many rows."""
    async with open_books(books_url) as books, books.begin(FILL_SECONDS) as connection:
        for statement in _FILL:
            await connection.execute(text(statement))
        yield connection


async def test_no_question_reads_a_table_from_end_to_end(many: AsyncConnection) -> None:
    place = (NOW, "lobby_5")
    questions: dict[str, Any] = {
        "games": games_query("p7", 20, None),
        "more games": games_query("p7", 20, place),
        "statement": statement_query("p7", EVER, 100, None),
        "more of it": statement_query("p7", EVER, 100, MovementPlace(NOW, 5, 0, "3500")),
        "payments": received_query("p7", NOW.timestamp() * 1000),
        "draws": proofs_query(NOW, None, None, 500),
        "more draws": proofs_query(NOW, NOW, place, 500),
        "leaders ever": leaders_query(None, None),
        "leaders of a tier ever": leaders_query(None, 3500),
        "leaders": leaders_query(NOW.date(), None),
        "leaders of a tier": leaders_query(NOW.date(), 3500),
    }
    for name, query in questions.items():
        plan = await plan_of(many, query)
        for table in ("games", "seats", "ledger", "payouts"):
            assert f"Seq Scan on {table}" not in plan, f"{name}:\n{plan}"


async def test_the_queue_of_payouts_finds_what_is_open_however_many_are_settled(
    many: AsyncConnection,
) -> None:
    async def taken() -> None:
        found = await payouts.take_waiting(many, 100, may_send=True)
        assert {payout.status for payout in found} == {*WAITING, "refused"}  # while in doubt
        changes = [payouts.Change(payout, 60, is_claim=True) for payout in found]
        await payouts.write(many, changes)

    async def listed() -> None:
        assert len(await payouts.payouts_after(many, "", "refused", 100)) > 0

    async def surveyed() -> None:
        assert (await payout_control.survey(many)).counts["held"] > 0

    for use in (taken, listed, surveyed, lambda: payout_control.start_anew(many)):
        before = await scans_of_payouts(many)
        await use()
        assert await scans_of_payouts(many) == before, use


async def scans_of_payouts(connection: AsyncConnection) -> Any:
    """How often this transaction has read all of the table."""
    counted = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'payouts'"
    return (await connection.execute(text(counted))).scalar_one()


async def plan_of(connection: AsyncConnection, query: Any) -> str:
    if isinstance(query, tuple):
        written, values = query
        return "\n".join((await connection.execute(text(f"EXPLAIN {written}"), values)).scalars())
    compiled = query.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    lines = await connection.execute(text(f"EXPLAIN {compiled}".replace(":", r"\:")))
    return "\n".join(lines.scalars())
