"""A commit that fails at any of its writes has written nothing, and the repeat counts once."""

from dataclasses import replace
from typing import Any

import pytest
from redis import ResponseError
from redis.asyncio import Redis

from protocol.errors import Refused
from protocol.payments import WebhookAnswer
from server.dev.store import EmbeddedStore
from server.services.seats import Seated
from server.store import keys
from server.store.errors import StoreUnavailable
from tests.services.money import (
    OWED_BACK,
    PROCESSED,
    REFUND_OWED,
    SEAT_PAID,
    ignored,
    invoice_now,
    is_paid,
    sums,
)
from tests.support.game import BUY_IN, CLASSIC, TABLE, Node, StartNode, paid
from tests.support.store_content import command, store_content

DUEL = replace(CLASSIC, max_players=2)
PASSWORD = "secret"


@pytest.fixture
def user_url(own_store: EmbeddedStore) -> str:
    """The store, for a user whose permissions the test may change."""
    return own_store.url.replace("//", f"//server:{PASSWORD}@")


@pytest.fixture
async def admin(own_store: EmbeddedStore) -> Any:
    """A client of `own_store` who may do everything, and has made the user."""
    async with Redis.from_url(own_store.url, decode_responses=True) as client:
        await permit(client, "+@all", "~*", "&*")
        yield client


async def permit(admin: Redis, *rules: str) -> None:
    """Change what the user may do; who is connected stays so."""
    await command(admin, "ACL", "SETUSER", "server", "on", f">{PASSWORD}", *rules)


async def assert_nothing_is_written_and_the_repeat_counts_once(
    node: Node, admin: Redis, seated: Seated, spoil: Any, mend: Any
) -> None:
    """The last seat of a duel is paid while the store is spoilt, and again when it is mended."""
    await spoil()
    before = await store_content(admin)
    with pytest.raises((StoreUnavailable, ResponseError)):
        await node.deliver(paid(seated))
    assert await store_content(admin) == before
    await mend()
    assert await node.deliver(paid(seated)) == PROCESSED
    assert await node.deliver(paid(seated)) == ignored("already_processed")
    assert await sums(admin) == {kind: 2 * coins for kind, coins in SEAT_PAID.items()}
    assert await is_paid(node, seated, "bob")
    lobby = (await node.store.load(seated.lobby.lobby_id)).lobby
    assert lobby is not None
    assert lobby.status == "arranging"


async def last_seat(node: Node) -> Seated:
    """The seat of bob, whose payment begins the game."""
    await node.seat("ann")
    return await node.sit("bob")


def touched(seated: Seated) -> dict[str, str]:
    """The keys that the payment of the last seat writes to, by what they are."""
    lobby_id = seated.lobby.lobby_id
    return {
        "lobby": keys.lobby(lobby_id),
        "player": keys.player(lobby_id, "bob"),
        "log": keys.events(lobby_id),
        "invoice": keys.invoice(seated.invoice.invoice_id),
        "ledger": keys.ledger(TABLE),
        "timers": keys.timers(TABLE),
        "forming": keys.active_lobbies(TABLE),
        "openings": keys.openings(TABLE),
        "seats": keys.seats(TABLE, "bob"),
    }


@pytest.mark.parametrize(
    "spoilt",
    [*("lobby", "player", "log", "invoice", "ledger"), *("timers", "forming", "openings", "seats")],
)
async def test_a_key_of_another_type(
    spoilt: str, start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: DUEL})
    seated = await last_seat(node)
    key, aside = touched(seated)[spoilt], "{aside}"
    dumped = None

    async def spoil() -> None:
        nonlocal dumped
        if await redis.exists(key):
            dumped = await command(redis, "COPY", key, aside)
        await redis.set(key, "of another type")

    async def mend() -> None:
        await redis.delete(key)
        if dumped:
            await redis.rename(aside, key)

    await assert_nothing_is_written_and_the_repeat_counts_once(node, redis, seated, spoil, mend)


@pytest.mark.parametrize(
    "rule",
    [
        *("-evalsha -eval", "-time", "-xadd", "-hset", "-hincrby", "-pexpire", "-zadd", "-zrem"),
        *("-hdel", "-@write", "-hlen", "-xlen", "-zcard"),
        *(
            f"resetkeys ~[^{kind[0]}]* ~{kind[0]}[^{kind[1]}]*"
            for kind in ("lobby", "invoice", "ledger", "timers", "active", "openings", "seats")
        ),
        "resetkeys %R~*",
        "resetkeys %W~*",
    ],
)
async def test_a_command_or_a_key_that_the_user_may_not_use(
    rule: str, start_node: StartNode, admin: Redis, user_url: str
) -> None:
    node = await start_node(user_url, tiers={BUY_IN: DUEL})
    seated = await last_seat(node)

    async def spoil() -> None:
        await permit(admin, *rule.split())

    async def mend() -> None:
        await permit(admin, "+@all", "~*", "&*")

    await assert_nothing_is_written_and_the_repeat_counts_once(node, admin, seated, spoil, mend)


async def test_an_entry_of_the_log_that_is_there_already(node: Node, redis: Redis) -> None:
    seated = await node.sit("ann")
    log = keys.events(seated.lobby.lobby_id)
    await command(redis, "COPY", log, "{aside}")
    await command(redis, "XADD", log, "999-0", "nobody", "knows")
    before = await store_content(redis)
    with pytest.raises(ResponseError):
        await node.deliver(paid(seated))
    assert await store_content(redis) == before
    await redis.rename("{aside}", log)
    assert await node.deliver(paid(seated)) == PROCESSED
    assert await sums(redis) == SEAT_PAID


@pytest.mark.parametrize("kind", ["invoice", "ledger"])
async def test_a_payment_that_is_owed_back_meets_a_key_of_another_type(
    kind: str, node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    await node.seats.leave("ann", seated.lobby.lobby_id)
    key, aside = touched(seated)[kind], "{aside}"
    copied = await command(redis, "COPY", key, aside)
    await redis.set(key, "of another type")
    before = await store_content(redis)
    with pytest.raises(ResponseError):
        await node.deliver(paid(seated))
    assert await store_content(redis) == before
    await redis.delete(key)
    if copied:
        await redis.rename(aside, key)
    assert await node.deliver(paid(seated)) == REFUND_OWED
    assert await node.deliver(paid(seated)) == ignored("already_processed")
    assert await sums(redis) == OWED_BACK
    assert await invoice_now(node, seated) == ("refund_owed", str(BUY_IN))


async def test_a_message_that_may_not_be_published_is_counted_and_nothing_else_is_amiss(
    start_node: StartNode, admin: Redis, user_url: str
) -> None:
    node = await start_node(user_url)
    await permit(admin, "resetchannels")
    seated = await node.sit("ann")
    assert await node.deliver(paid(seated)) == WebhookAnswer(processed=True)
    assert await node.deliver(paid(seated)) == ignored("already_processed")
    assert await sums(admin) == SEAT_PAID
    assert node.metrics.samples()["fair_bingo_messages_unpublished_total"] == 4
    assert not isinstance(await node.seats.leave("ann", seated.lobby.lobby_id), Refused)
