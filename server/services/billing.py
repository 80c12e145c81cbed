"""Invoices as their players see them."""

import asyncio
from collections.abc import Iterable

from protocol import views
from server.rules.lobby import Lobby
from server.rules.payments import Invoice, Terms
from server.services.lobbies import Changed
from server.store.invoices import InvoiceStore
from server.store.log import Snapshot


class Billing:
    """What is asked for a seat, and how far that is. `terms`: of invoices that are issued now, and
    so many decimals has a coin in them."""

    def __init__(self, invoices: InvoiceStore, terms: Terms, coin_decimals: int) -> None:
        self._invoices = invoices
        self._terms = terms
        self._unit = 10**coin_decimals

    async def invoice_of_seat(self, seated: Changed, alien_id: str) -> views.Invoice | None:
        """The invoice of a player's seat; None if it is forgotten. One that was issued with it is
        what the seat says, and need not be asked for."""
        seat = seated.new_seat(alien_id)
        if seat is None or (seated.before is not None and alien_id in seated.before.invoices):
            return await self.invoice_of(seated.snapshot, alien_id)
        return views.Invoice(
            invoice_id=seat.invoice_id,
            amount=str(seated.lobby.buy_in_amount * self._unit),
            recipient=self._terms.recipient,
            token=self._terms.token,
            network=self._terms.network,
            status="pending",
            expires_at=seat.expires_at,
        )

    async def invoice_of(self, snapshot: Snapshot, alien_id: str) -> views.Invoice | None:
        """The player's last invoice in this lobby; None if there never was one."""
        lobby = snapshot.lobby
        invoice_id = None if lobby is None else lobby.invoices.get(alien_id)
        return None if invoice_id is None else await self.invoice(invoice_id)

    async def invoice(self, invoice_id: str) -> views.Invoice | None:
        """The invoice of that id; None if there is none or it is forgotten."""
        found = await self._invoices.load(invoice_id)
        return None if found is None else self._view(found)

    async def given_up(
        self, lobby: Lobby, alien_ids: Iterable[str], takes_test: bool
    ) -> dict[str, Invoice]:
        """The invoices, by player, of unpaid seats in this lobby that were given up, if nothing was
        delivered about them. They are used again for the next seat of the same player there:
        otherwise each time that a player joins and leaves one more would be kept for a week."""
        gone = [alien_id for alien_id in alien_ids if alien_id not in lobby.players]
        known = [lobby.invoices[alien_id] for alien_id in gone if alien_id in lobby.invoices]
        found = await asyncio.gather(*map(self._invoices.load, known))
        return {
            invoice.alien_id: invoice
            for invoice in found
            if invoice is not None
            and invoice.status == "cancelled"
            and not invoice.deliveries
            and invoice.takes_test == takes_test
        }

    def _view(self, invoice: Invoice) -> views.Invoice:
        terms = invoice.terms(self._terms)
        return views.Invoice(
            invoice_id=invoice.invoice_id,
            amount=str(invoice.units),
            recipient=terms.recipient,
            token=terms.token,
            network=terms.network,
            status=invoice.status,
            expires_at=invoice.expires_at,
            owed=str(invoice.owed_units) if invoice.owed_units else None,
        )
