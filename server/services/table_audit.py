"""The ledger of one table as an audit adds it up."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from server.rules.coins import Coins
from server.rules.money import Movement
from server.services.past import Account, MovedLedger
from server.store.ledger import LedgerEntry, MalformedEntry
from server.store.past_ledger import stream_position


@dataclass(slots=True)
class Sums:
    """Coins by kind. They balance if what was received is somewhere."""

    received: Coins = 0
    pot: Coins = 0
    payout_owed: Coins = 0
    refund_owed: Coins = 0
    house: Coins = 0

    def add(self, movement: Movement | LedgerEntry) -> None:
        """Count one movement; a settlement changes no sum."""
        if movement.kind != "settled":
            setattr(self, movement.kind, getattr(self, movement.kind) + movement.amount)

    def add_coins(self, coins: Mapping[str, Coins]) -> None:
        """Count so much by kind."""
        for kind, amount in coins.items():
            setattr(self, kind, getattr(self, kind) + amount)

    @property
    def missing(self) -> Coins:
        """Coins that were received and are nowhere; negative: that are somewhere and were not."""
        return self.received - self.pot - self.payout_owed - self.refund_owed - self.house


@dataclass(slots=True)
class TableAudit:
    """The sums of one table's ledger up to an entry: in all, by lobby, and by invoice what was
    received for it and is not owed back. What is malformed is in none."""

    moved: MovedLedger
    last_id: str = ""
    entries: int = 0
    total: Sums = field(default_factory=Sums)
    by_lobby: defaultdict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    kept_of: defaultdict[str, Coins] = field(default_factory=lambda: defaultdict(int))
    malformed: list[MalformedEntry] = field(default_factory=list)
    began_ms: dict[str, int] = field(default_factory=dict)
    paid_to: dict[str, str | None] = field(default_factory=dict)
    _added: set[str] = field(default_factory=set)

    @property
    def table(self) -> str:
        """The table."""
        return self.moved.table

    def not_yet_added(self, lobbies: Iterable[str]) -> set[str]:
        """Those lobbies of which this is asked for the first time."""
        news = {*lobbies} - self._added
        self._added |= news
        return news

    def add_account(self, account: Account) -> None:
        """Take in what a lobby moved in the part that left the store; the total has it already."""
        self.by_lobby[account.lobby_id].add_coins(account.coins)
        if account.invoice_id is not None:
            kept = account.coins["received"] - account.coins["refund_owed"]
            self.kept_of[account.invoice_id] += kept
        self._note(account.lobby_id, account.first_ms, account.paid_to)

    def add(self, page: Iterable[LedgerEntry | MalformedEntry]) -> None:
        """Take in the next entries."""
        for entry in page:
            self.entries += 1
            self.last_id = entry.stream_id
            if isinstance(entry, MalformedEntry):
                self.malformed.append(entry)
                continue
            self.add_entry(entry)

    def add_entry(self, entry: LedgerEntry) -> None:
        """Take in one that is well formed."""
        self.total.add(entry)
        self.by_lobby[entry.lobby_id].add(entry)
        if entry.invoice_id is not None and entry.kind in ("received", "refund_owed"):
            kept = entry.amount if entry.kind == "received" else -entry.amount
            self.kept_of[entry.invoice_id] += kept
        paid_to = entry.alien_id if entry.kind == "payout_owed" else None
        self._note(entry.lobby_id, stream_position(entry.stream_id)[0], paid_to)

    def _note(self, lobby_id: str, at_ms: int, paid_to: str | None) -> None:
        self.began_ms[lobby_id] = min(at_ms, self.began_ms.get(lobby_id, at_ms))
        if paid_to is not None:
            self.paid_to[lobby_id] = paid_to
