"""Tiers: what is played for a buy-in."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from protocol import ids
from server.rules.commands import TakeSeat
from server.rules.payments import Invoice
from server.rules.variants import Variant
from server.services.beacons import BeaconOfLobbies, no_beacon


@dataclass(frozen=True, slots=True)
class Tier:
    """A buy-in, the variant that is played for it, the tables at which new lobbies open, and
    whether new invoices may be paid by test payments. `beacon`: what new lobbies wait for."""

    buy_in_amount: int
    variant: Variant
    tables: Sequence[str]
    takes_test: bool
    beacon: BeaconOfLobbies = no_beacon

    def table_of(self, alien_id: str) -> str:
        """The table that a player joins: the same on every server of these settings."""
        if len(self.tables) == 1:
            return self.tables[0]
        number = int.from_bytes(sha256(alien_id.encode()).digest()[:8])
        return self.tables[number % len(self.tables)]

    def seat(
        self, alien_id: str, client_seed: str, lobby_id: str, given_up: Invoice | None = None
    ) -> TakeSeat:
        """The command to seat a player, with the invoice that they gave up there or a new one."""
        new_id = ids.invoice_id(lobby_id, os.urandom(8))
        invoice_id = new_id if given_up is None else given_up.invoice_id
        return TakeSeat(alien_id, client_seed, invoice_id, self.takes_test)
