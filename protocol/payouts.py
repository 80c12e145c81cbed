"""What an operator's payment service is sent: one order a debt, the same for ever."""

from typing import Literal

from protocol.views import Message

SIGNATURE_HEADER = "X-Payout-Signature"
KEY_HEADER = "Idempotency-Key"
MAX_ANSWER_BYTES = 65_536


class PayoutOrder(Message):
    """Pay this, once: `amount` is in the token's smallest unit, of which a coin has 10 to the power
    of `decimals`. A repetition has the same `payout_id`."""

    payout_id: str
    kind: Literal["payout", "refund"]
    recipient: str
    amount: str
    decimals: int
    token: str
    network: str
    lobby_id: str | None
    invoice_id: str | None
