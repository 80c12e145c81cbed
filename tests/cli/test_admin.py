"""`fair-bingo admin`: it works while all servers are down, and running ones apply it at once."""

import json
import re

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from protocol.operators import ACTIONS
from server.cli.admin import admin
from server.cli.main import whole
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.transport.http.pages import ROOT
from tests.system.conftest import Run
from tests.system.game_server import GameServer, running_app
from tests.system.stored_ledger import StoredLedger

BY = ("--by", "eve", "--reason", "a fault")


def test_every_action_is_a_command_and_a_button_of_the_page() -> None:
    group = typer.main.get_command(admin)
    assert isinstance(group, TyperGroup)
    assert {*group.commands} - {"log", "suspects"} == {*ACTIONS}
    buttons = re.findall(r'offer\("([a-z]+)"', (ROOT / "ops/actions.js").read_text())
    assert sorted(buttons) == sorted(ACTIONS)


async def test_everything_works_while_no_server_runs(
    store_url: str,
    issuer: DevIssuer,
    provider: DevProvider,
    fair_bingo: Run,
    stored: StoredLedger,
) -> None:
    async with running_app(store_url, issuer, provider) as server:
        lobby_id = await server.ready("alice", "bob")
        forming = await server.seat("carol")
    code, output = await fair_bingo("admin", "void", lobby_id, *BY)
    assert (code, output.splitlines()[-1]) == (0, f"{lobby_id} is voided.")
    code, output = await fair_bingo("admin", "void", lobby_id, *BY)
    assert (code, "wrong_status" in output) == (1, True)
    assert (await fair_bingo("admin", "kick", "carol", forming, *BY))[0] == 0
    until = ("--until", "2286-11-20T17:46:39Z")
    assert (await fair_bingo("admin", "ban", "bob", *until, *BY))[0] == 0
    code, output = await fair_bingo("admin", "ban", "bob", *until, *BY)
    assert (code, output.splitlines()[-1]) == (0, "Nothing changed: it was so already.")
    said = ("announce", "Closed at noon.", "--level", "warning", "--until", "9999999999000")
    assert (await fair_bingo("admin", *said, *BY))[0] == 0
    owed = {(e["alien_id"], e["amount"]) for _, e in await stored.entries() if "owed" in e["kind"]}
    assert owed == {("alice", "3500"), ("bob", "3500"), ("carol", "3500")}

    async with running_app(store_url, issuer, provider) as server:
        refused = await server.post("/api/game/join", "bob", {"buy_in_amount": 7000})
        assert (refused.status, refused.body["code"]) == (403, "banned")
        assert refused.body["details"] == {"until": 9_999_999_999_000}
        async with server.visitor("alice") as alice:
            await alice.enter("lobbies")
            assert (await alice.receives("announcement"))["level"] == "warning"

    code, output = await fair_bingo("admin", "log", "--json")
    entries = [json.loads(line) for line in output.splitlines()]
    assert [entry["action"] for entry in entries] == [
        *("void", "kick", "ban", "announce"),
    ]
    assert {entry["operator"] for entry in entries} == {"eve"}
    assert {entry["reason"] for entry in entries} == {"a fault"}
    assert (code, entries[0]["previous_hash"]) == (0, "0" * 64)
    await stored.redis.xdel("operator_log", "3-0")
    code, output = await fair_bingo("admin", "log")
    assert (code, "entry 3: it is missing" in output) == (1, True)
    assert (await fair_bingo("replay", lobby_id))[0] == 0
    assert (await fair_bingo("audit"))[0] == 0


async def test_running_servers_apply_a_command_at_once(
    open_server: GameServer, fair_bingo: Run
) -> None:
    lobby_id = await open_server.ready("alice", "bob")
    async with open_server.visitor("alice") as alice, open_server.visitor("carol") as carol:
        await alice.enter(lobby_id)
        await carol.enter("lobbies")
        assert (await fair_bingo("admin", "void", lobby_id, *BY))[0] == 0
        assert (await alice.receives("game_finished"))["outcome"] == "voided"
        assert (await fair_bingo("admin", "ban", "carol", *BY))[0] == 0
        assert await carol.refusal("join", {"buy_in_amount": 3500}) == "banned"
        assert (await fair_bingo("admin", "announce", "Hello.", "--by", "eve"))[0] == 0
        assert (await alice.receives("announcement"))["text"] == "Hello."
        assert (await carol.receives("announcement"))["text"] == "Hello."


@pytest.mark.parametrize(
    "arguments",
    [
        ("ban", "bob"),
        ("ban", "bob", "--by", "eve"),
        ("ban", "bob", "--by", "e:v", "--reason", "x"),
        ("ban", "b b", *BY),
        ("ban", "bob", "--until", "soon", *BY),
        ("announce", "x", "--level", "loud", *BY),
        ("close", "many", *BY),
    ],
)
def test_what_is_no_order_is_refused_before_anything_is_asked(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(whole(), ["admin", *arguments])
    assert result.exit_code == 2, result.output
