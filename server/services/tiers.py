"""Tiers: what is played for a buy-in."""

import os
from dataclasses import dataclass

from protocol import ids
from server.rules.commands import TakeSeat
from server.rules.payments import Invoice
from server.rules.variants import Variant


@dataclass(frozen=True, slots=True)
class Tier:
    """A buy-in, the variant that is played for it, and whether new invoices may be paid by test
    payments."""

    buy_in_amount: int
    variant: Variant
    takes_test: bool

    @property
    def table(self) -> str:
        """The table that its lobbies are of."""
        return str(self.buy_in_amount)

    def seat(
        self, alien_id: str, client_seed: str, lobby_id: str, given_up: Invoice | None = None
    ) -> TakeSeat:
        """The command to seat a player, with the invoice that they gave up there or a new one."""
        new_id = ids.invoice_id(lobby_id, os.urandom(8))
        invoice_id = new_id if given_up is None else given_up.invoice_id
        return TakeSeat(alien_id, client_seed, invoice_id, self.takes_test)
