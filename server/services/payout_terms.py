"""The terms of payouts: what is sent for one, and which are kept back."""

from dataclasses import dataclass, replace
from fractions import Fraction

from protocol.payouts import PayoutOrder
from server.books.payouts import Change, Payout
from server.rules.coins import Coins
from server.rules.payouts import APPROVALS


@dataclass(frozen=True, slots=True)
class PayoutTerms:
    """What is paid in, and the brakes: coins an hour, and coins above which two operators have to
    approve; None: no brake."""

    token: str
    network: str
    decimals: int
    limit_coins_per_hour: Coins | None = None
    approval_coins: Coins | None = None

    def kept_back(self, payout: Payout) -> Change | None:
        """What becomes of one that is due and must not be sent so; None: it may be sent."""
        standing = payout.standing
        most = self.approval_coins
        if most is not None and payout.amount > most and len(payout.approved_by) < APPROVALS:
            return Change(replace(payout, standing=replace(standing, status="held")), None)
        if payout.body is None and self._units(payout).denominator != 1:
            reason = f"it is no whole number of units of {self.decimals} decimals"
            refused = replace(standing, status="refused", reason=reason)
            return Change(replace(payout, standing=refused), None)
        return None

    def order(self, payout: Payout) -> str:
        """What the service is sent."""
        return PayoutOrder(
            payout_id=payout.payout_id,
            kind=payout.kind,
            recipient=payout.alien_id,
            amount=str(self._units(payout).numerator),
            decimals=self.decimals,
            token=self.token,
            network=self.network,
            lobby_id=payout.lobby_id,
            invoice_id=payout.invoice_id,
        ).model_dump_json()

    def _units(self, payout: Payout) -> Fraction:
        return Fraction(payout.amount) * Fraction(10) ** self.decimals
