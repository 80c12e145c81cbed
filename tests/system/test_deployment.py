"""The topology of docker-compose.yml, without containers: two servers behind the load balancer with
the repository's own configuration, and the store as production has it."""

import json
import os
import shutil
from pathlib import Path

import pytest

from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.game import starting_nodes
from tests.support.process import StartProcess
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.faults.servers import Server, ended
from tests.system.faults.verdict import Tally, heard_by_room, judge
from tests.system.game_server import environment, game_server, published_keys

ROOT = Path(__file__).parents[2]
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
PACE = {"CALL_INTERVAL_SECONDS": "0.15", "DRAIN_SECONDS": "1", "TRUSTED_PROXIES": "127.0.0.1"}


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
@pytest.mark.usefixtures("node_modules")
async def test_a_game_behind_the_load_balancer_does_not_notice_a_rolling_restart(
    own_store: EmbeddedStore,
    issuer: DevIssuer,
    provider: DevProvider,
    start_process: StartProcess,
    tmp_path: Path,
) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with (
        published_keys(issuer) as jwks_url,
        game_server(f"http://{address}", issuer, provider) as balanced,
        starting_nodes() as start_node,
    ):
        variables = environment(own_store.url, jwks_url, issuer, provider) | PACE
        with ended(Server(variables, tmp_path), Server(variables, tmp_path)) as servers:
            for server in servers:
                await server.wait_until_ready()
            balancer = start_process(
                str(HAPROXY),
                *("-db", "-f", str(ROOT / ".deploy/haproxy.cfg")),
                BIND=address,
                **{f"NODE{n}": f"127.0.0.1:{server.port}" for n, server in enumerate(servers, 1)},
            )
            await balancer.wait_for_url(f"{balanced.url}/health/ready")
            lobby_id = await balanced.seat("alice", "bob")
            script = str(ROOT / "tests/system/js/follow.js")
            carol = start_process("node", script, balanced.url, issuer.token("carol"), lobby_id)
            await balanced.arrange(lobby_id, "alice", "bob")
            await carol.wait_for_line("number_called")
            for server in servers:
                assert await server.drain() == 0
                await server.restart()
            assert await carol.wait(2 * TIMEOUT_SECONDS) == 0, carol.output

        said = [tuple(json.loads(line)) for line in carol.output.splitlines()]
        assert "draining" in [name for name, _ in said]
        tally = Tally()
        records = await judge(await start_node(own_store.url), lobby_id, tally)
        assert [event for event in said if event[0] != "draining"] == heard_by_room(records)
        assert (tally.calls, tally.wrong) == (50, 0)
