"""`fair-bingo ledger`: what an operator sees of the money, and settles."""

import asyncio
import json
import os
import resource
import time

from tests.system.conftest import Run
from tests.system.game_server import WEBHOOK, GameServer
from tests.system.stored_ledger import LEDGER, StoredLedger, pay_and_leave

MANY = 1_000_000 if os.environ.get("FAULT_LONG") else 20_000


# Listing


async def test_every_entry_is_listed_on_a_line(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(open_server)
    code, output = await fair_bingo("ledger", "list")
    assert code == 0, output
    entries = await stored.entries()
    for line, (stream_id, entry) in zip(output.splitlines(), entries, strict=True):
        words = line.split()
        assert words[0] == f"3500:{stream_id}"
        assert {entry["kind"], f"{int(entry['amount']):+d}", entry["lobby_id"]} <= {*words}


async def test_what_is_owed_is_listed_until_it_is_settled(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(open_server)
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


async def test_what_matched_nothing_is_listed(open_server: GameServer, fair_bingo: Run) -> None:
    invoice = (await open_server.join("alice"))["invoice"]
    payload = open_server.provider.payload(invoice | {"recipient": "somebody else"})
    await open_server.provider.deliver(open_server.url + WEBHOOK, payload)
    code, output = await fair_bingo("ledger", "list", "--unmatched", "--json")
    (found,) = map(json.loads, output.splitlines())
    assert (code, found["tx"], json.loads(found["body"])) == (0, payload["txHash"], payload)
    _, output = await fair_bingo("ledger", "list", "--unmatched")
    assert output == f"{payload['txHash']} {json.dumps(payload)}\n"


async def test_nothing_of_a_listing_reaches_into_the_terminal(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await open_server.seat("alice")
    await stored.append(kind="house", amount="0", lobby_id="x\x1b[2J y", alien_id="a\nb")
    await stored.redis.hset("unmatched", "tx\x1b[2J", "{}\r\x07")
    for option in ((), ("--unmatched",)):
        code, output = await fair_bingo("ledger", "list", *option)
        assert code == 0
        assert all(line.isprintable() for line in output.splitlines()), output
        assert "\\u001b[2J" in output


# Settling


async def test_what_is_no_entry_cannot_be_settled(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(open_server)
    first_part = (await stored.owed()).rpartition("-")[0]
    for entry in ("3500:9-9", "nowhere:nothing", first_part):
        ended = await fair_bingo("ledger", "settle", entry, "--reference", "tx-9")
        assert ended == (1, f"{entry}: there is no such entry\n")


async def test_an_entry_of_which_nothing_is_owed_cannot_be_settled(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(open_server)
    before = await stored.entries()
    code, output = await fair_bingo(
        "ledger", "settle", f"3500:{before[0][0]}", "--reference", "tx-9"
    )
    assert (code, "kind received" in output) == (1, True), output
    assert await stored.entries() == before


async def test_of_concurrent_settlements_exactly_one_is_noted(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(open_server)
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


async def test_a_large_ledger_is_audited_and_listed(stored: StoredLedger, fair_bingo: Run) -> None:
    games, a_time = MANY // ENTRIES_A_GAME, 50
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
