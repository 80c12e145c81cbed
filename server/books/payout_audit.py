"""What an audit asks of payouts."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def contradictions(connection: AsyncConnection, table: str) -> Sequence[str]:
    """What contradicts itself in the payouts of a table and its ledger: a line for each."""
    found = await connection.execute(_CONTRADICTIONS, {"table": table})
    return [row.line for row in found]


# A debt that was settled by hand before its entry moved has its payout already.
_CONTRADICTIONS: Final = text("""
WITH owed AS (
    SELECT * FROM ledger
    WHERE table_name = :table AND kind IN ('payout_owed', 'refund_owed')
)
SELECT owed.entry_id || ': it is owed, but there is no payout of it' AS line
FROM owed LEFT JOIN payouts ON payouts.entry_id = owed.entry_id
WHERE payouts.entry_id IS NULL AND NOT owed.test AND owed.amount > 0
      AND owed.fields::text ~ '[{,] ?"amount": ?"[0-9]{1,30}([.][0-9]{1,36})?"'
      AND owed.alien_id <> '' AND owed.event <> ''
UNION ALL
SELECT payouts.payout_id || ': it is of a debt that the books do not have'
FROM payouts LEFT JOIN owed ON owed.entry_id = payouts.entry_id
WHERE payouts.table_name = :table AND owed.entry_id IS NULL
      AND NOT (payouts.status = 'settled' AND payouts.by_hand)
UNION ALL
SELECT payouts.payout_id || ': it is not what ' || payouts.entry_id || ' owes'
FROM payouts JOIN owed ON owed.entry_id = payouts.entry_id
WHERE payouts.table_name = :table
      AND (payouts.amount <> owed.amount OR payouts.alien_id <> owed.alien_id OR owed.test)
""")


async def paid_of(connection: AsyncConnection, table: str, after: str, most: int) -> Sequence[Any]:
    """Payouts of a table that were paid, in the order of their ids: `payout_id`, `entry_id`,
    `status`, `reference`, and `settled_with`, which the books' ledger has for it, if it has."""
    found = await connection.execute(_PAID, {"table": table, "after": after, "most": most})
    return found.all()


_PAID: Final = text("""
SELECT payouts.payout_id, payouts.entry_id, payouts.status, payouts.reference,
       (SELECT max(settled.reference) FROM ledger AS settled
        WHERE settled.kind = 'settled' AND settled.table_name = payouts.table_name
              AND settled.event = split_part(payouts.entry_id, ':', 2)) AS settled_with
FROM payouts
WHERE payouts.table_name = :table AND payouts.payout_id > :after
      AND (payouts.status = 'settled' OR payouts.reference IS NOT NULL)
ORDER BY payouts.payout_id LIMIT :most
""")
