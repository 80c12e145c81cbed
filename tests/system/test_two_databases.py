"""Two deployments in two databases of one store: channels know no database, lobbies do."""

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.system.game_server import running_app
from tests.system.visitor import Visitor


async def test_deployments_in_two_databases_of_one_store_show_each_their_own_lobbies(
    own_store: EmbeddedStore, issuer: DevIssuer, provider: DevProvider
) -> None:
    url, _, number = own_store.url.rpartition("/")
    assert number == "0"
    async with (
        running_app(f"{url}/0", issuer, provider) as first,
        running_app(f"{url}/1", issuer, provider) as second,
        first.visitor("carol") as carol,
        second.visitor("dave") as dave,
    ):
        await carol.enter("lobbies")
        await dave.enter("lobbies")
        of_first = await first.seat("alice")
        await carol.receives("lobby_listed")
        of_second = await second.seat("bob")
        await dave.receives("lobby_listed")
        assert of_first != of_second
        assert listed(carol) == {of_first}
        assert listed(dave) == {of_second}


def listed(visitor: Visitor) -> set[str]:
    """The lobbies that somebody at the front desk was sent one by one."""
    return {message["lobby"]["lobby_id"] for message in visitor.of("lobby_listed")}
