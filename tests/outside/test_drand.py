"""The client of the beacon: whom it believes, and what."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from server.dev.beacon import DevBeacon
from server.outside.drand import BeaconContradicts, Drand
from server.rules.beacon import QUICKNET
from tests.support.beacon import BeaconFault, ServedBeacon, serving_beacon
from tests.support.wait import TIMEOUT_SECONDS, until

Client = Callable[..., Drand]


@pytest.fixture
async def relay() -> AsyncIterator[ServedBeacon]:
    """A relay."""
    async with serving_beacon() as relay:
        yield relay


@pytest.fixture
async def client(relay: ServedBeacon) -> AsyncIterator[Client]:
    """Makes clients of that relay, or of other URLs; they are closed after the test."""
    async with AsyncExitStack() as stack:

        def make(*urls: str, **options: Any) -> Drand:
            chain = relay.beacon.chain
            known: dict[str, Any] = {
                "chain_hash": chain.chain_hash,
                "public_key": chain.public_key,
                "now_ms": lambda: 0.0,
                "answer_seconds": TIMEOUT_SECONDS,
            }
            drand = Drand(urls or [relay.url], **known | options)
            stack.push_async_callback(drand.close)
            return drand

        yield make


async def test_the_chain_is_that_of_the_info_if_it_agrees(
    client: Client, relay: ServedBeacon
) -> None:
    drand = client(relay.url + "/")
    assert drand.chain is None
    await drand.start()
    assert drand.chain == relay.beacon.chain


@pytest.mark.parametrize(
    "change",
    [
        {"hash": "00" * 32},
        {"public_key": DevBeacon().chain.public_key},
        {"schemeID": "pedersen-bls-chained"},
    ],
)
async def test_a_chain_that_is_not_the_one_of_the_settings_stops_the_start(
    client: Client, relay: ServedBeacon, change: dict[str, str]
) -> None:
    relay.info |= change
    with pytest.raises(BeaconContradicts, match=r"^BEACON_URL: "):
        await client().start()


async def test_quicknet_cannot_be_given_other_times(client: Client, relay: ServedBeacon) -> None:
    relay.info = {
        "hash": QUICKNET.chain_hash,
        "public_key": QUICKNET.public_key,
        "period": 3,
        "genesis_time": QUICKNET.genesis_ms // 1000 - 30,
    }
    quicknet = {"chain_hash": QUICKNET.chain_hash, "public_key": QUICKNET.public_key}
    drand = client(**quicknet)
    assert drand.chain == QUICKNET
    with pytest.raises(BeaconContradicts, match="times"):
        await drand.start()


@pytest.mark.parametrize(
    "info",
    [
        [],
        None,
        {"period": 3},
        {"period": "3", "genesis_time": 1},
        {"period": True},
        {"period": 0.0, "genesis_time": 1},
    ],
)
async def test_an_info_that_is_none_is_waited_for(
    client: Client, relay: ServedBeacon, info: object
) -> None:
    right = relay.info
    is_partly = isinstance(info, dict)
    names = ("hash", "public_key")
    relay.info = {name: right[name] for name in names} | info if is_partly else info  # type: ignore[operator]
    drand = client()
    await drand.start()
    assert drand.chain is None
    relay.info = right
    await until(lambda: drand.chain is not None)
    assert drand.chain == relay.beacon.chain


async def test_nobody_there_does_not_stop_the_start(client: Client) -> None:
    drand = client("http://127.0.0.1:1")
    await drand.start()
    assert drand.chain is None
    assert await drand.signature(QUICKNET, 1) is None


async def test_a_round_is_asked_for_once_and_its_signature_verified(
    client: Client, relay: ServedBeacon
) -> None:
    drand, chain = client(), relay.beacon.chain
    for _ in range(3):
        assert await drand.signature(chain, 17) == relay.beacon.signature(17)
    assert relay.asked == {f"/{chain.chain_hash}/public/17": 1}


async def test_a_round_that_is_not_there_yet_is_had_later(
    client: Client, relay: ServedBeacon
) -> None:
    drand, chain = client(), relay.beacon.chain
    assert await drand.signature(chain, relay.beacon.latest() + 1_000) is None
    relay.fault = "late"
    assert await drand.signature(chain, 17) is None
    relay.fault = "none"
    assert await drand.signature(chain, 17) == relay.beacon.signature(17)


FAULTS: list[BeaconFault] = ["late", "hangs", "other round", "forged", "nonsense", "error", "moved"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_wrong_is_not_believed_and_another_url_is(
    client: Client, relay: ServedBeacon, fault: BeaconFault
) -> None:
    chain = relay.beacon.chain
    relay.fault = fault
    assert await client(answer_seconds=0.2).signature(chain, 17) is None
    async with serving_beacon(relay.beacon) as other:
        drand = client(relay.url, other.url)
        assert await drand.signature(chain, 17) == relay.beacon.signature(17)


async def test_an_answer_without_end_is_cut_off(client: Client, relay: ServedBeacon) -> None:
    right = relay.info
    relay.info = right | {"padding": "x" * 20_000}
    drand = client()
    await drand.start()
    assert drand.chain is None


async def test_the_beacon_is_compared_with_the_clock_of_the_games(
    client: Client, relay: ServedBeacon
) -> None:
    chain = relay.beacon.chain
    behind = client(now_ms=lambda: chain.time_ms(relay.beacon.latest()) - 5_000)
    await behind.start()
    await until(lambda: 4_000 < behind.ahead_ms <= 7_000)
    right = client(now_ms=lambda: chain.time_ms(relay.beacon.latest()) + 500)
    await right.start()
    await until(lambda: right.ahead_ms < 0)
