"""`fair-bingo audit`: what it finds, and that it finds nothing where nothing is wrong."""

import asyncio
import itertools

import pytest

from tests.system.conftest import Run
from tests.system.game_server import GameServer
from tests.system.stored_ledger import StoredLedger, pay_and_leave


async def test_an_audit_of_nothing_holds(fair_bingo: Run) -> None:
    code, output = await fair_bingo("audit")
    assert code == 0, output


async def test_an_audit_of_an_honest_ledger_holds(open_server: GameServer, fair_bingo: Run) -> None:
    await pay_and_leave(open_server)
    await open_server.seat("bob", "carol", "dave")
    code, output = await fair_bingo("audit")
    assert code == 0, output
    sums = "received 14000 = pot 10500 + payout_owed 0 + refund_owed 3500 + house 0"
    assert f"3500: 10 entries, {sums}" in output


async def receive_a_coin_too_many(stored: StoredLedger, lobby_id: str) -> str:
    await stored.append(kind="received", amount="1", lobby_id=lobby_id)
    return lobby_id


async def forget_an_entry(stored: StoredLedger, lobby_id: str) -> str:
    await stored.forget((await stored.of(lobby_id))[1][0])
    return lobby_id


async def forget_a_payment(stored: StoredLedger, lobby_id: str) -> str:
    for stream_id, _ in (await stored.of(lobby_id))[:2]:
        await stored.forget(stream_id)
    return lobby_id


async def pay_a_seat_only_in_the_log(stored: StoredLedger, lobby_id: str) -> str:
    log = f"lobby:{{3500}}:{lobby_id}:events"
    paid = next(e for _, e in await stored.redis.xrange(log) if e["type"] == "seat_paid")
    await stored.redis.xadd(log, paid, "1000-0")
    return lobby_id


async def change_the_pot(stored: StoredLedger, lobby_id: str) -> str:
    await stored.redis.hset(f"lobby:{{3500}}:{lobby_id}", "pot", "700000")
    return lobby_id


async def spoil_the_pot(stored: StoredLedger, lobby_id: str) -> str:
    await stored.redis.hset(f"lobby:{{3500}}:{lobby_id}", "pot", "much")
    return lobby_id


async def pay_the_pot_out(stored: StoredLedger, lobby_id: str) -> str:
    await stored.append(kind="pot", amount="-3500", lobby_id=lobby_id)
    await stored.append(kind="payout_owed", amount="3500", lobby_id=lobby_id)
    return lobby_id


async def owe_more_back_than_came_in(stored: StoredLedger, lobby_id: str) -> str:
    invoice_id = (await stored.of(lobby_id))[0][1]["invoice_id"]
    for kind, amount in (("refund_owed", "9000"), ("house", "-9000")):
        await stored.append(kind=kind, amount=amount, lobby_id=lobby_id, invoice_id=invoice_id)
    return invoice_id


@pytest.mark.not_replayed
async def test_an_audit_names_whatever_was_tampered_with(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    culprits = {
        tamper.__name__: await tamper(stored, await open_server.seat(f"{index}-a", f"{index}-b"))
        for index, tamper in enumerate(
            [
                receive_a_coin_too_many,
                forget_an_entry,
                forget_a_payment,
                pay_a_seat_only_in_the_log,
                change_the_pot,
                spoil_the_pot,
                pay_the_pot_out,
                owe_more_back_than_came_in,
            ]
        )
    }
    honest = await open_server.seat("alice", "bob")
    code, output = await fair_bingo("audit")
    assert code == 1, output
    named = {line.partition(":")[0] for line in output.splitlines()}
    assert [tamper for tamper, culprit in culprits.items() if culprit not in named] == [], output
    assert honest not in named
    assert "table 3500: " in output


async def test_an_audit_under_load_gives_no_false_alarm(
    open_server: GameServer, fair_bingo: Run
) -> None:
    async def keep_paying(number: int) -> None:
        for customer in itertools.count():
            name = f"player-{number}-{customer}"
            joined = await open_server.join(name)
            await open_server.pay(joined["invoice"])
            if customer % 3 == 0:
                await open_server.post(f"/api/game/{joined['lobby_id']}/leave", name)

    paying = [asyncio.create_task(keep_paying(number)) for number in range(4)]
    try:
        for _ in range(2):
            code, output = await fair_bingo("audit")
            assert code == 0, output
    finally:
        for task in paying:
            task.cancel()
        ended = await asyncio.gather(*paying, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
