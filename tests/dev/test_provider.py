"""The payment provider of development signs its webhooks, and repeats them until they are taken."""

import asyncio
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.dev.ports import free_port
from server.dev.provider import DeliveryFailedError, DevProvider, Outcome
from tests.dev.webhook import WebhookReceiver
from tests.support.http import serve_app

INVOICE = {
    "invoice_id": "inv_3500_1f9c2ab4d0e1_00112233445566ff",
    "amount": "3500",
    "recipient": "00000001000000000000000000000000",
    "token": "ALIEN",
    "network": "alien",
    "status": "pending",
    "expires_at": 1_770_544_800_000,
}


def _public_key(provider: DevProvider) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(provider.public_key_hex))


async def test_a_delivery_is_signed_over_its_exact_bytes(provider: DevProvider) -> None:
    receiver = WebhookReceiver()
    async with serve_app(receiver.app()) as url:
        await provider.deliver(url, {"invoice": "inv_ü", "status": "failed"})
    _public_key(provider).verify(bytes.fromhex(receiver.signatures[0]), receiver.bodies[0])
    assert json.loads(receiver.bodies[0]) == {"invoice": "inv_ü", "status": "failed"}


async def test_a_delivery_is_repeated_byte_for_byte_until_it_is_taken(
    provider: DevProvider,
) -> None:
    receiver = WebhookReceiver(statuses=[503, 500])
    async with serve_app(receiver.app()) as url:
        answer = await provider.deliver(url, {"invoice": "inv_1", "status": "failed"})
    assert answer.status_code == 200
    assert len(receiver.bodies) == 3
    assert len(set(receiver.bodies)) == 1


async def test_a_delivery_waits_for_a_server_that_is_not_there_yet() -> None:
    provider = DevProvider(retry_delays_seconds=[0.05] * 600)
    receiver, port = WebhookReceiver(), free_port()
    delivery = asyncio.create_task(provider.deliver(f"http://127.0.0.1:{port}", {"invoice": "i"}))
    await asyncio.sleep(0.2)
    assert not delivery.done()
    async with serve_app(receiver.app(), port):
        assert (await delivery).status_code == 200


async def test_a_refusal_is_final(provider: DevProvider) -> None:
    receiver = WebhookReceiver(statuses=[401])
    async with serve_app(receiver.app()) as url:
        answer = await provider.deliver(url, {"invoice": "inv_1"})
    assert answer.status_code == 401
    assert len(receiver.bodies) == 1


async def test_a_delivery_ends_when_it_is_never_taken() -> None:
    provider = DevProvider(retry_delays_seconds=[0.01, 0.01])
    receiver = WebhookReceiver(statuses=[503] * 10)
    async with serve_app(receiver.app()) as url:
        with pytest.raises(DeliveryFailedError):
            await provider.deliver(url, {"invoice": "inv_1"})
    assert len(receiver.bodies) == 3


@pytest.mark.parametrize(("outcome", "status"), [("paid", "finalized"), ("failed", "failed")])
def test_a_payload_names_the_invoice_and_its_outcome(
    provider: DevProvider, outcome: Outcome, status: str
) -> None:
    payload = provider.payload(INVOICE, outcome)
    transaction = payload.pop("txHash")
    assert payload == {
        "invoice": INVOICE["invoice_id"],
        "status": status,
        "recipient": INVOICE["recipient"],
        "amount": "3500",
        "decimals": 0,
        "token": "ALIEN",
        "network": "alien",
    }
    assert len(bytes.fromhex(transaction)) == 32


def test_each_attempt_to_pay_is_a_transaction_of_its_own(provider: DevProvider) -> None:
    assert provider.payload(INVOICE)["txHash"] != provider.payload(INVOICE)["txHash"]


def test_a_later_run_has_the_same_key(tmp_path: Path) -> None:
    assert DevProvider(tmp_path).public_key_hex == DevProvider(tmp_path).public_key_hex
