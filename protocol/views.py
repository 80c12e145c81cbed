"""What messages are made of: tickets, invoices, the public view of a lobby and one's own."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_serializer,
)

from protocol.reading import NEWER_WORDS

Status = Annotated[Literal["forming", "arranging", "active", "finished"], NEWER_WORDS]
Outcome = Annotated[Literal["won", "no_winner", "cancelled", "voided"], NEWER_WORDS]
InvoiceStatus = Annotated[
    Literal["pending", "paid", "failed", "expired", "cancelled", "refund_owed"], NEWER_WORDS
]
LeaveReason = Annotated[
    Literal["left", "unpaid", "payment_failed", "expired", "kicked"], NEWER_WORDS
]

Numbers = list[StrictInt]
Grid = list[list[StrictInt]]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256, or another 32 bytes, as lower-case hex."""
ClientSeed = Annotated[str, StringConstraints(max_length=64)]
UnixMs = Annotated[float | int, WithJsonSchema({"type": "number"})]


class Message(BaseModel):
    """What the server sends. Immutable, and built only from known fields."""

    # Pydantic gets a model ready when it is first used: no process uses most of them.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Request(BaseModel):
    """What a client sends: exact types, no unknown fields. `alien_id` may be given; it must then
    be the player of the token."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    alien_id: str | None = None


def without_none(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """The fields but for those of `names` that are None: they are absent on the wire."""
    return {k: v for k, v in fields.items() if v is not None or k not in names}


def is_none(value: object) -> bool:
    """Whether a field that may be absent on the wire is absent."""
    return value is None


class Invoice(Message):
    """What a player has to pay, and how far that is. Times are Unix ms.

    `owed` is what came in for this invoice and is owed back, in the unit of `amount`; it is
    absent when nothing is.
    """

    invoice_id: str
    amount: str
    recipient: str
    token: str
    network: str
    status: InvoiceStatus
    expires_at: UnixMs
    owed: str | None = Field(default=None, exclude_if=is_none)


class PlayerView(Message):
    """A player as everyone sees them."""

    alien_id: str
    paid: StrictBool
    ready: StrictBool
    active: StrictBool


class Rules(Message):
    """What a lobby plays by, whatever is offered by now: the variant, the side of the grid, the
    highest number (they start at 1), how many must have paid, and how many seats there are."""

    variant: str
    side: int
    highest: int
    min_players: int
    max_players: int


Patterns = dict[str, list[tuple[int, int]]]
"""The lines that win, by name, in the order in which they are named; cells are (row, column)."""


class BeaconView(Message):
    """The public beacon that the order of the numbers waits for: its chain, and the round that the
    start named, null before."""

    chain_hash: str
    round: int | None


class LobbyView(Message):
    """A lobby as everyone sees it. Times are Unix ms, null while they have not come; without a
    beacon, `beacon` is absent."""

    lobby_id: str
    rules: Rules
    status: Status
    buy_in_amount: int
    pot: int
    player_count: int
    active_players: int
    players: list[PlayerView]
    latest_number: int | None
    previous_number: int | None
    winner: str | None
    outcome: Outcome | None
    created_at: UnixMs
    started_at: UnixMs | None
    finished_at: UnixMs | None
    deadline: UnixMs | None
    beacon: BeaconView | None = Field(default=None, exclude_if=is_none)
    server_seed_hash: str
    seq: int


class You(Message):
    """What only the player sees. A spectator has a role, and an invoice if one was ever issued to
    them in this lobby: a payment that came too late is answered for there."""

    role: Literal["player", "spectator"]
    paid: bool | None = None
    active: bool | None = None
    numbers: list[int] | None = None
    grid: list[list[int]] | None = None
    invoice: Invoice | None = None

    @model_serializer(mode="wrap")
    def _spectators_have_nothing(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        return fields if self.role == "player" else without_none(fields, *fields)


class ProofBeacon(Message):
    """The round of the public beacon that is part of the draw: its signature in hex, and its value,
    which is the signature's SHA-256. Both are null if a game ended before the round was there, and
    so before the first call."""

    chain_hash: str
    round: StrictInt
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{96}$")] | None
    randomness: Sha256 | None


class Proof(Message):
    """All that is needed to check that the draw was fixed before anyone paid. Seeds and hashes are
    lower-case hex; `players` are `[alien_id, client_seed, grid]` of all who paid, by `alien_id`;
    `arranged` names those whose grid the server arranged, and whether they had picked. `log_hash`
    is of the last record before the end, `proof_hash` of all the rest of the proof."""

    lobby_id: str
    variant: str
    server_seed: Sha256
    server_seed_hash: Sha256
    players: list[tuple[str, str, Grid]]
    arranged: dict[str, Literal["arranged", "picked"]]
    entropy: Sha256
    beacon: ProofBeacon | None = Field(default=None, exclude_if=is_none)
    numbers_called: list[Annotated[int, Field(ge=1)]]
    winner: str | None
    pattern: str | None
    log_hash: Sha256
    proof_hash: Sha256
