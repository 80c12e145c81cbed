"""What an operator sees of the money: `fair-bingo audit` and `fair-bingo ledger`."""

import asyncio
import itertools
import json
import os
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.process import StartProcess
from tests.system.conftest import FAIR_BINGO
from tests.system.game_server import WEBHOOK, GameServer, running_app

COMMAND_SECONDS = 120
LEDGER = "ledger:{3500}"
MANY = 1_000_000 if os.environ.get("FAULT_LONG") else 100_000

Run = Callable[..., Awaitable[tuple[int, str]]]
Entry = dict[str, str]


class StoredLedger:
    """The ledger's stream, and the hand of somebody who changes it behind the server's back."""

    def __init__(self, redis: Redis) -> None:
        self.redis: Any = redis  # its types would have every answer be anything

    async def entries(self) -> list[tuple[str, Entry]]:
        """All entries with their stream ids, oldest first."""
        return list(await self.redis.xrange(LEDGER))

    async def of(self, lobby_id: str) -> list[tuple[str, Entry]]:
        """The entries of one lobby."""
        return [found for found in await self.entries() if found[1]["lobby_id"] == lobby_id]

    async def owed(self) -> str:
        """The only entry that is owed, as an operator calls it."""
        (stream_id,) = [i for i, entry in await self.entries() if entry["kind"].endswith("owed")]
        return f"3500:{stream_id}"

    async def append(self, **entry: str) -> None:
        """Write an entry."""
        await self.redis.xadd(LEDGER, {"at": "1.0", "event": "tampered", **entry})

    async def forget(self, stream_id: str) -> None:
        """Remove an entry."""
        await self.redis.xdel(LEDGER, stream_id)


@pytest.fixture
def fair_bingo(start_process: StartProcess, variables: dict[str, str]) -> Run:
    """Runs a command: its exit code, and what it printed."""

    async def run(*arguments: str) -> tuple[int, str]:
        process = start_process(FAIR_BINGO, *arguments, **variables)
        return await process.wait(COMMAND_SECONDS), process.output

    return run


@pytest.fixture
async def stored(store_url: str) -> AsyncIterator[StoredLedger]:
    async with Redis.from_url(store_url, decode_responses=True) as redis:
        yield StoredLedger(redis)


@pytest.fixture
async def server(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    async with running_app(store_url, issuer, provider, HTTP_RATE="0") as server:
        yield server


async def pay_and_leave(server: GameServer) -> None:
    """alice pays and leaves: her buy-in is owed back."""
    lobby_id = await server.seat("alice")
    await server.post(f"/api/game/{lobby_id}/leave", "alice")


# Audit


async def test_an_audit_of_nothing_holds(fair_bingo: Run) -> None:
    code, output = await fair_bingo("audit")
    assert code == 0, output


async def test_an_audit_of_an_honest_ledger_holds(server: GameServer, fair_bingo: Run) -> None:
    await pay_and_leave(server)
    await server.seat("bob", "carol", "dave")
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


async def test_an_audit_names_whatever_was_tampered_with(
    server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    culprits = {
        tamper.__name__: await tamper(stored, await server.seat(f"{index}-a", f"{index}-b"))
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
    honest = await server.seat("alice", "bob")
    code, output = await fair_bingo("audit")
    assert code == 1, output
    named = {line.partition(":")[0] for line in output.splitlines()}
    assert [tamper for tamper, culprit in culprits.items() if culprit not in named] == [], output
    assert honest not in named
    assert "table 3500: " in output


async def test_an_audit_under_load_gives_no_false_alarm(
    server: GameServer, fair_bingo: Run
) -> None:
    async def keep_paying(number: int) -> None:
        for customer in itertools.count():
            name = f"player-{number}-{customer}"
            joined = await server.join(name)
            await server.pay(joined["invoice"])
            if customer % 3 == 0:
                await server.post(f"/api/game/{joined['lobby_id']}/leave", name)

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


# Listing


async def test_every_entry_is_listed_on_a_line(
    server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(server)
    code, output = await fair_bingo("ledger", "list")
    assert code == 0, output
    entries = await stored.entries()
    for line, (stream_id, entry) in zip(output.splitlines(), entries, strict=True):
        words = line.split()
        assert words[0] == f"3500:{stream_id}"
        assert {entry["kind"], f"{int(entry['amount']):+d}", entry["lobby_id"]} <= {*words}


async def test_what_is_owed_is_listed_until_it_is_settled(
    server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(server)
    code, before = await fair_bingo("ledger", "list", "--owed", "--json")
    entry = json.loads(before)
    assert (code, entry["entry"]) == (0, await stored.owed())
    facts = {"kind": "refund_owed", "amount": 3500, "alien_id": "alice"}
    assert facts.items() <= entry.items()

    settled, output = await fair_bingo("ledger", "settle", entry["entry"], "--reference", "tx-9")
    assert settled == 0, output
    assert await fair_bingo("ledger", "list", "--owed") == (0, "")
    _, after = await fair_bingo("ledger", "list", "--json")
    last = json.loads(after.splitlines()[-1])
    assert (last["kind"], last["amount"], last["reference"]) == ("settled", 3500, "tx-9")
    assert f"3500:{last['event']}" == entry["entry"]
    assert (await fair_bingo("audit"))[0] == 0


async def test_what_matched_nothing_is_listed(server: GameServer, fair_bingo: Run) -> None:
    invoice = (await server.join("alice"))["invoice"]
    payload = server.provider.payload(invoice | {"recipient": "somebody else"})
    await server.provider.deliver(server.url + WEBHOOK, payload)
    code, output = await fair_bingo("ledger", "list", "--unmatched", "--json")
    (found,) = map(json.loads, output.splitlines())
    assert (code, found["tx"], json.loads(found["body"])) == (0, payload["txHash"], payload)
    _, output = await fair_bingo("ledger", "list", "--unmatched")
    assert output == f"{payload['txHash']} {json.dumps(payload)}\n"


# Settling


async def test_what_is_no_entry_cannot_be_settled(
    server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(server)
    first_part = (await stored.owed()).rpartition("-")[0]
    for entry in ("3500:9-9", "nowhere:nothing", first_part):
        ended = await fair_bingo("ledger", "settle", entry, "--reference", "tx-9")
        assert ended == (1, f"{entry}: there is no such entry\n")


async def test_an_entry_of_which_nothing_is_owed_cannot_be_settled(
    server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(server)
    before = await stored.entries()
    code, output = await fair_bingo(
        "ledger", "settle", f"3500:{before[0][0]}", "--reference", "tx-9"
    )
    assert (code, "kind received" in output) == (1, True), output
    assert await stored.entries() == before


async def test_of_concurrent_settlements_exactly_one_is_noted(
    server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(server)
    entry, before = await stored.owed(), await stored.entries()
    ended = await asyncio.gather(
        *(fair_bingo("ledger", "settle", entry, "--reference", f"tx-{i}") for i in range(3))
    )
    assert sorted(code for code, _ in ended) == [0, 1, 1]
    assert len(await stored.entries()) == len(before) + 1
    again = await fair_bingo("ledger", "settle", entry, "--reference", "tx-9")
    assert again == (1, f"{entry}: it was settled before\n")


# Size

# Games number ARGV[1] to ARGV[2], their lobbies long gone: ten pay, the pot is owed to one. These
# are 22 entries each.
ENTRIES_A_GAME = 22
FILL = """
local function add(kind, amount, lobby, invoice)
    local entry = {'kind', kind, 'amount', amount, 'lobby_id', lobby, 'at', '1.0', 'event', 'e'}
    if invoice then
        entry[#entry + 1], entry[#entry + 2] = 'invoice_id', invoice
        entry[#entry + 1], entry[#entry + 2] = 'alien_id', 'player'
    end
    redis.call('XADD', KEYS[1], '*', unpack(entry))
end
for game = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    local id = string.format('%012x', game)
    for seat = 1, 10 do
        local invoice = string.format('inv_3500_%s_%016x', id, seat)
        add('received', 3500, 'lobby_3500_' .. id, invoice)
        add('pot', 3500, 'lobby_3500_' .. id, invoice)
    end
    add('pot', -35000, 'lobby_3500_' .. id)
    add('payout_owed', 35000, 'lobby_3500_' .. id)
end
"""


@pytest.mark.timeout(300)
async def test_a_large_ledger_is_audited_and_listed(stored: StoredLedger, fair_bingo: Run) -> None:
    games, a_time = MANY // ENTRIES_A_GAME, 500
    for first in range(0, games, a_time):
        await stored.redis.eval(FILL, 1, LEDGER, first, min(games, first + a_time) - 1)
    started_at = time.monotonic()
    code, output = await fair_bingo("audit")
    seconds = time.monotonic() - started_at
    most_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"\naudit of {games * ENTRIES_A_GAME} entries: {seconds:.1f} s, {most_kib // 1024} MiB")  # noqa: T201
    assert code == 0, output
    assert f"3500: {games * ENTRIES_A_GAME} entries, received {games * 35000} = pot 0" in output
    code, output = await fair_bingo("ledger", "list", "--owed", "--json")
    assert (code, len(output.splitlines())) == (0, games)
