"""A ledger with entries that are none: each is named, and everything else goes on."""

import json
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.conftest import Run
from tests.system.game_server import GameServer, running_app
from tests.system.stored_ledger import LEDGER, StoredLedger, pay_and_leave

GOOD = {"kind": "house", "amount": "0", "lobby_id": "", "at": "1.0", "event": "e"}
DAMAGE: dict[str, tuple[dict[str, str], str]] = {
    "no event": ({"event": ""}, "no event"),
    "an amount that is no number": ({"amount": "much"}, "amount 'much'"),
    "an amount in another notation": ({"amount": "1e3"}, "amount '1e3'"),
    "an amount of no end": ({"amount": 5000 * "9"}, "no plain decimal"),
    "no amount": ({"amount": ""}, "amount ''"),
    "an unknown kind": ({"kind": "bonus"}, "kind 'bonus'"),
    "no time": ({"at": "nan"}, "at 'nan'"),
    "a time after all times": ({"at": "1e300"}, "at '1e300'"),
    "what reaches into the terminal": ({"kind": "x\x1b[2J\n"}, "kind 'x\\x1b[2J\\n'"),
}


async def damaged(stored: StoredLedger) -> dict[str, str]:
    """Damages the ledger in every way: what is said of each entry, by its name."""
    found = {}
    for change, said in DAMAGE.values():
        fields = {name: value for name, value in (GOOD | change).items() if value}
        found[f"3500:{await stored.redis.xadd(LEDGER, fields)}"] = said
    return found


@pytest.mark.not_replayed
async def test_an_audit_names_each_malformed_entry_and_goes_on(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    await pay_and_leave(open_server)
    entries = await damaged(stored)
    lobby_id = await open_server.seat("bob")
    await stored.append(kind="received", amount="0.5", lobby_id=lobby_id)
    code, output = await fair_bingo("audit")
    assert code == 1, output
    assert "Traceback" not in output
    lines = output.splitlines()
    assert f"3500: {len(await stored.entries())} entries, received 7000.5 = pot 3500" in output
    for entry, said in entries.items():
        (line,) = [line for line in lines if line.startswith(f"{entry}: ")]
        assert said in line
        assert line.isprintable()
    assert f"{lobby_id}: 0.5 coins do not balance" in lines


async def test_a_listing_has_a_line_for_each_malformed_entry_and_goes_on(
    open_server: GameServer, stored: StoredLedger, fair_bingo: Run
) -> None:
    entries = await damaged(stored)
    await pay_and_leave(open_server)
    for option, good in (((), 4), (("--owed",), 1)):
        code, output = await fair_bingo("ledger", "list", *option)
        lines = output.splitlines()
        assert (code, len(lines)) == (0, len(entries) + good), output
        for (entry, said), line in zip(entries.items(), lines, strict=False):
            assert line.startswith(f"{entry} malformed: ")
            assert said in line
        code, output = await fair_bingo("ledger", "list", *option, "--json")
        listed: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
        assert [entry["entry"] for entry in listed if "malformed" in entry] == [*entries]
        assert len(listed) == len(entries) + good


async def test_a_malformed_entry_cannot_be_settled(stored: StoredLedger, fair_bingo: Run) -> None:
    for entry, said in (await damaged(stored)).items():
        code, output = await fair_bingo("ledger", "settle", entry, "--reference", "tx")
        assert (code, output.count("\n")) == (1, 1), output
        assert output.startswith(f"{entry}: it is malformed: ")
        assert said in output
    assert len(await stored.entries()) == len(DAMAGE)


async def test_an_entry_may_lack_what_does_not_apply_and_have_what_is_not_known(
    stored: StoredLedger, fair_bingo: Run
) -> None:
    for kind, amount in (("received", "5"), ("house", "5")):
        await stored.redis.xadd(LEDGER, {"kind": kind, "amount": amount, "event": "e", "new": "?"})
    code, output = await fair_bingo("audit")
    assert (code, "received 5 = pot 0" in output) == (0, True), output
    code, output = await fair_bingo("ledger", "list")
    assert (code, len(output.splitlines())) == (0, 2), output


async def test_the_metrics_go_on_after_a_malformed_entry(
    store_url: str, issuer: DevIssuer, provider: DevProvider, stored: StoredLedger
) -> None:
    await damaged(stored)
    async with running_app(store_url, issuer, provider, HTTP_RATE="0") as server:
        await pay_and_leave(server)

        async def reported() -> bool:
            metrics = (await server.get("/metrics")).body.decode()
            return 'fair_bingo_owed_coins{kind="refund_owed",tier="3500"} 3500.0' in metrics

        await until(reported)
