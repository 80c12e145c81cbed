"""What nobody may read: searched for in every byte that a server sends and in all that it logs,
with the log as talkative as it can be."""

import base64
import re

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.conftest import READY, StartServe
from tests.system.faults.links import Links
from tests.system.game_server import GameServer, game_server, has_pattern, ticket
from tests.system.stored_ledger import StoredLedger

# A signature (64 bytes) and a token, whichever player's.
SIGNATURE = re.compile(r"[0-9a-f]{128}")
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
OPS_TOKEN = "what-the-operator-knows"


def spellings(seed: str) -> list[bytes]:
    """The ways in which a seed might be written."""
    raw = bytes.fromhex(seed)
    return [seed.encode(), seed.upper().encode(), raw, base64.b64encode(raw), str(raw).encode()]


async def play_until_bob_can_claim(server: GameServer, lobby_id: str) -> None:
    """Alice leaves after a false claim; everything that can be asked is asked."""
    async with server.visitor("alice") as alice, server.visitor("bob") as bob:
        await alice.enter(lobby_id)
        await bob.enter(lobby_id)
        await alice.ask("arrange_grid", {"grid": ticket("alice")})
        await bob.ask("arrange_grid", {"grid": ticket("bob")})
        assert not (await alice.ask("claim"))["valid"]
        await bob.ask("sync")
        for path in ("status", "proof", "numbers"):
            await server.get(f"/api/game/{lobby_id}/{path}", "bob")
        await until(lambda: has_pattern(ticket("bob"), bob.called))


async def is_over(server: GameServer, lobby_id: str) -> bool:
    """Bob claims; whether the proof is there."""
    await server.post(f"/api/game/{lobby_id}/claim", "bob")
    return (await server.get(f"/api/game/{lobby_id}/proof")).status == 200


async def act_as_operator(server: GameServer) -> None:
    """With the right token, in both ways, and with one that is nearly right."""
    basic = base64.b64encode(f":{OPS_TOKEN}".encode()).decode()
    body = {"alien_id": "mallory", "reason": "why"}
    for given, statuses in (
        (f"Bearer {OPS_TOKEN}", (200, 400)),
        (f"Basic {basic}", (200, 400)),
        (f"Bearer {OPS_TOKEN}x", (401, 401)),
    ):
        headers = {"Authorization": given}
        for status, payload in zip(statuses, (body, {}), strict=True):
            answer = await server.request_again(
                "POST", "/ops/api/ban", headers=headers, json=payload
            )
            assert answer.status == status


async def test_a_seed_is_in_no_frame_or_answer_before_the_end_and_no_secret_is_ever_logged(
    start_serve: StartServe, stored: StoredLedger, issuer: DevIssuer, provider: DevProvider
) -> None:
    process = start_serve(
        LOG_LEVEL="debug",
        CALL_INTERVAL_SECONDS="0.3",
        MAX_PLAYERS="3",
        OPS_TOKENS=f"eve:admin:{OPS_TOKEN}",
    )
    port = int((await process.wait_for_line(READY))[1].rpartition(":")[2])
    sent = bytearray()
    async with (
        Links(lambda: [("127.0.0.1", port)], sent.extend) as links,
        game_server(f"http://{links.address}", issuer, provider) as server,
    ):
        lobby_id = await server.seat("alice", "bob", "carol")
        await server.arrange(lobby_id, "carol")
        await play_until_bob_can_claim(server, lobby_id)
        seed = await stored.redis.hget(f"lobby:{{3500}}:{lobby_id}", "server_seed") or ""
        assert len(seed) == 64
        before_the_end = bytes(sent).partition(b"game_finished")[0]
        assert b"number_called" in before_the_end
        assert [spelled for spelled in spellings(seed) if spelled in before_the_end] == []
        await until(lambda: is_over(server, lobby_id))
        assert seed.encode() in sent  # so it would have been found before
        await act_as_operator(server)
    process.terminate()
    await process.wait()

    logged = process.output
    assert "game_finished" in logged
    assert "operator_action" in logged
    assert OPS_TOKEN not in logged
    assert base64.b64encode(f":{OPS_TOKEN}".encode()).decode() not in logged
    assert seed not in logged
    assert SIGNATURE.search(logged) is None
    assert TOKEN.search(logged) is None
    for name in ("alice", "bob", "carol"):
        row = ", ?".join(map(str, ticket(name)[0]))
        assert re.search(row, logged) is None, name
