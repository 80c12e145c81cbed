"""The commit of a payment, and nothing else of a server: what the store itself takes for it."""

from server.store.commits import NO_DECISION, Check
from tests.support.game import Node


async def commit_like_a_payment(node: Node, lobby: str, number: int) -> None:
    """The `number`-th commit of a lobby, from 1: one check and the nine writes of a payment.

    Raises RuntimeError if the store refuses it, since nobody else changes this lobby.
    """
    text = "x" * 40
    entry = ["kind", "pot", "amount", "3500", "lobby_id", text, "invoice_id", text, "event", text]
    ledger = ("XADD", "ledger:{bench}", "*", *entry)
    unchanged = Check(("HGET", lobby, "version"), str(number - 1) if number > 1 else "")
    done = await node.commits.commit(
        [unchanged],
        [
            ("HSET", lobby, "version", number, "pot", "3500", "invoices", text * 10),
            ("HSET", f"{lobby}:player", *[part for i in range(12) for part in (str(i), text)]),
            ("XADD", f"{lobby}:events", "*", "type", "seat_paid", "data", text * 5),
            ("HSET", f"invoice:{{bench}}:{lobby}", "status", "paid", "tx_hash", text),
            ("HSET", f"invoice:{{bench}}:{lobby}", f"delivery:{number}", "0"),
            ledger,
            ledger,
            ("SPUBLISH", f"{lobby}:events", text * 10),
            ("SPUBLISH", "front_desk:{bench}", text * 15),
        ],
        NO_DECISION,
    )
    if not done:
        raise RuntimeError(f"commit {number} of {lobby} was refused")
