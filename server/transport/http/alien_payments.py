"""The Alien platform's payment provider: its deliveries as the game knows them. Another provider
would be another module like this one."""

import hashlib
from collections.abc import Iterable

from pydantic import ValidationError

from protocol import strict_json
from protocol.payments import VERSION, PaymentDelivery
from server.rules.payments import Delivery


def read_delivery(body: bytes, versions: Iterable[str]) -> Delivery | None:
    """The delivery of that body, in the versions that its headers name; None if the body is not of
    the schema, or the version not known."""
    if any(version != VERSION for version in versions):
        return None
    try:
        payment = PaymentDelivery.model_validate(strict_json.loads(body))
    except (ValueError, ValidationError):
        return None
    return delivery_of(payment, body)


def delivery_of(payment: PaymentDelivery, raw_body: bytes) -> Delivery:
    """The delivery that came as `raw_body`, which stands for a transaction that is not named."""
    tx = payment.txHash or hashlib.sha256(raw_body).hexdigest()
    return Delivery(
        invoice_id=payment.invoice,
        key=hashlib.sha256(f"{payment.status}:{tx}".encode()).hexdigest(),
        status=payment.status,
        tx=tx,
        test=payment.is_test,
        units=None if payment.amount is None else int(payment.amount),
        decimals=payment.decimals,
        recipient=payment.recipient,
        network=payment.network,
    )
