"""Whether payouts pause, what was sent within an hour, and what is open."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.schema import payout_control
from server.rules.coins import Coins, coins_text, exact_coins
from server.rules.payouts import Pause


@dataclass(frozen=True, slots=True)
class Control:
    """Why payouts pause, if they do, in the service's own words too; and how many were refused
    since the last one that was paid."""

    paused: Pause | None
    problem: str | None
    refused_in_a_row: int


async def lock_control(connection: AsyncConnection, *, alone: bool = False) -> Control:
    """Whether payouts pause, which stays so until this transaction ends. `alone`: an exclusive
    lock, which all others wait for."""
    wanted = select(payout_control).with_for_update(read=not alone)
    row = (await connection.execute(wanted)).one()
    return Control(row.paused, row.problem, row.refused_in_a_row)


async def set_paused(
    connection: AsyncConnection, paused: Pause | None, by: str | None, problem: str | None
) -> None:
    """Have all payouts pause, or go on: then what was refused in a row is forgotten, and what waits
    is tried at once."""
    await connection.execute(
        text(
            "UPDATE payout_control SET paused = :paused, problem = :problem, changed_by = :by,"
            " changed_at = now(), refused_in_a_row = 0"
        ),
        {"paused": paused, "by": by, "problem": problem},
    )


async def start_anew(connection: AsyncConnection) -> None:
    """The hour counts anew, and what waits is tried now, but for what is being sent."""
    await connection.execute(text("DELETE FROM payout_minutes"))
    await connection.execute(_START_ANEW)


# Rows are locked in the order in which those who note answers lock them.
_START_ANEW: Final = text("""
UPDATE payouts
SET counted_at = NULL, next_at = CASE WHEN again.waits THEN now() ELSE payouts.next_at END,
    tries = CASE WHEN again.waits THEN 0 ELSE payouts.tries END
FROM (
    SELECT payout_id, status IN ('due', 'sent', 'unknown', 'refused') AND next_at > now() AS waits
    FROM payouts
    WHERE status <> 'settled'
          AND (counted_at IS NOT NULL
               OR status IN ('due', 'sent', 'unknown', 'refused') AND next_at > now())
    ORDER BY payout_id FOR UPDATE
) AS again
WHERE payouts.payout_id = again.payout_id
""")


async def count_refusals(connection: AsyncConnection, in_a_row: int) -> None:
    """Note how many payouts were refused since the last one that was paid."""
    await connection.execute(
        text("UPDATE payout_control SET refused_in_a_row = :in_a_row"), {"in_a_row": in_a_row}
    )


async def sent_within_an_hour(connection: AsyncConnection) -> Coins:
    """Coins that were sent within the last hour. They are counted by the minute, so some of up to a
    minute before it are among them."""
    await connection.execute(
        text("DELETE FROM payout_minutes WHERE minute < now() - interval '61 minutes'")
    )
    found = await connection.execute(text("SELECT coalesce(sum(coins), 0) FROM payout_minutes"))
    return exact_coins(found.scalar_one())


async def counted_still(connection: AsyncConnection, payout_ids: Sequence[str]) -> Collection[str]:
    """Those of the payouts whose coins are among those of `sent_within_an_hour`."""
    found = await connection.execute(
        text(
            "SELECT payout_id FROM payouts WHERE payout_id = ANY(:payout_ids)"
            " AND date_trunc('minute', counted_at) IN (SELECT minute FROM payout_minutes)"
        ),
        {"payout_ids": list(payout_ids)},
    )
    return {row.payout_id for row in found}


async def count_sent(connection: AsyncConnection, payout_ids: Sequence[str], coins: Coins) -> None:
    """The coins of these payouts, which this transaction has locked, are about to be sent."""
    await connection.execute(
        text("UPDATE payouts SET counted_at = now() WHERE payout_id = ANY(:payout_ids)"),
        {"payout_ids": list(payout_ids)},
    )
    await connection.execute(
        text(
            "INSERT INTO payout_minutes VALUES (date_trunc('minute', now()), :coins)"
            " ON CONFLICT (minute) DO UPDATE SET coins = payout_minutes.coins + excluded.coins"
        ),
        {"coins": Decimal(coins_text(coins))},
    )


@dataclass(frozen=True, slots=True)
class Open:
    """What is open: how many payouts and coins by status, and how old the oldest is."""

    counts: Mapping[str, int]
    coins: Mapping[str, float]
    oldest_seconds: float
    control: Control


async def survey(connection: AsyncConnection) -> Open:
    """What is open now."""
    by_status = await connection.execute(
        text(
            "SELECT status, count(*) AS payouts, sum(amount) AS coins,"
            " extract(epoch FROM now() - min(owed_at)) AS seconds FROM payouts"
            " WHERE status <> 'settled' GROUP BY status"
        )
    )
    rows = by_status.all()
    control = (await connection.execute(select(payout_control))).one()
    return Open(
        counts={row.status: row.payouts for row in rows},
        coins={row.status: float(row.coins) for row in rows},
        oldest_seconds=max((float(row.seconds) for row in rows), default=0.0),
        control=Control(control.paused, control.problem, control.refused_in_a_row),
    )
