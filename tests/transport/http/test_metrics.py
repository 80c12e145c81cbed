"""`/metrics` tells what happened, in Prometheus's own form."""

from prometheus_client.parser import text_string_to_metric_families

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, running_app

FAST = {"FORMATION_SECONDS": "0.3", "CALL_INTERVAL_SECONDS": "0.05", "ARRANGING_SECONDS": "0.3"}


async def samples(server: GameServer) -> dict[str, float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    answer = await server.get("/metrics")
    assert (answer.status, answer.content_type) == (200, "text/plain")
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


async def test_a_game_shows_in_the_metrics(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(store_url, issuer, provider, **FAST) as server:
        lobby_id = await server.seat("alice", "bob")
        async with server.visitor("alice") as alice:
            await alice.enter(lobby_id)
            await alice.hears("number_called")
            seen = await samples(server)
    assert seen["fair_bingo_sockets"] == 1
    assert seen["fair_bingo_subscription_up"] == 1
    assert seen["fair_bingo_payment_deliveries_total processed"] == 2
    assert seen["fair_bingo_events_pushed_total number_called"] >= 1
    assert seen["fair_bingo_followed_lobbies active 3500"] == 1
    assert seen["fair_bingo_call_jitter_seconds_count"] >= 1
    assert seen["fair_bingo_push_latency_seconds_count"] >= 1
    assert seen["fair_bingo_commits_total committed"] >= 5
