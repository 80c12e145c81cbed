"""The payment provider's webhook: its body, and our answers to it."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from protocol.views import Message, without_none

PATH = "/api/webhooks/payment"
SIGNATURE_HEADER = "X-Webhook-Signature"
VERSION_HEADER = "X-Webhook-Version"
VERSION = "3"
MAX_BODY_BYTES = 65_536

NotProcessed = Literal[
    "test_payment",
    "already_processed",
    "recipient_mismatch",
    "network_mismatch",
    "decimals_mismatch",
    "amount_missing",
    "amount_mismatch",
]


class PaymentDelivery(BaseModel):
    """What the provider says of an invoice. Unknown fields are ignored: they may add some.

    `amount` is in the token's smallest unit. There is no timestamp: a delivery is the same as
    another if invoice, status and `txHash` are.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, defer_build=True)

    invoice: str
    status: Literal["finalized", "failed"]
    recipient: str | None = None
    txHash: str | None = None  # noqa: N815 - the provider's spelling
    amount: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,78}$")] | None = None
    decimals: int | None = None
    token: str | None = None
    network: str | None = None
    test: bool | str | None = None

    @property
    def is_test(self) -> bool:
        """Whether the provider calls this a test and not real money."""
        return self.test not in (None, False, "false")


class WebhookAnswer(Message):
    """The delivery is recorded. `processed` is false when it changed nothing that a player sees."""

    success: Literal[True] = True
    processed: bool
    reason: NotProcessed | Literal["refund_owed"] | None = None

    @model_serializer(mode="wrap")
    def _without_no_reason(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_none(serialize(self), "reason")
