"""The Alien platform's payment provider: how it signs its deliveries, and what they mean to the
game. Another provider is another module like this one, and another `Webhook`
(server/transport/http/webhook.py) in server/assembly/http.py."""

import hashlib
from collections.abc import Iterable
from typing import Final

from multidict import CIMultiDictProxy
from pydantic import ValidationError

from protocol import strict_json
from protocol.errors import ErrorCode, Refused
from protocol.payments import PATH, SIGNATURE_HEADER, VERSION, VERSION_HEADER, PaymentDelivery
from server.rules.payments import Delivery
from server.runtime.ed25519 import verifier

_SIGNATURE_HEX_DIGITS: Final = 128


class AlienPayments:
    """See `PaymentProvider`. A delivery is signed with one of `public_keys` (32 bytes each)."""

    path = PATH

    def __init__(self, public_keys: Iterable[bytes]) -> None:
        self._verifiers = [verifier(key) for key in public_keys]

    def read(self, body: bytes, headers: CIMultiDictProxy[str]) -> Delivery | Refused:
        """See `PaymentProvider`."""
        if not self._is_signed(body, headers.getall(SIGNATURE_HEADER, [])):
            return Refused(ErrorCode.UNAUTHORIZED)
        delivery = read_delivery(body, headers.getall(VERSION_HEADER, []))
        return Refused(ErrorCode.INVALID_MESSAGE) if delivery is None else delivery

    def _is_signed(self, body: bytes, signatures: list[str]) -> bool:
        if len(signatures) != 1 or len(signatures[0]) != _SIGNATURE_HEX_DIGITS:
            return False
        try:
            signature = bytes.fromhex(signatures[0])
        except ValueError:
            return False
        return any(verify(signature, body) for verify in self._verifiers)


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
