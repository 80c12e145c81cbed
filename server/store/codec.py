"""Values of the rules as the store's texts, and back."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache, cached_property
from operator import attrgetter
from types import MappingProxyType, NoneType, UnionType
from typing import (
    Any,
    Final,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import orjson
from pydantic import TypeAdapter, ValidationError

from server.rules import events
from server.rules.beacon import mixed, randomness
from server.rules.draw import call_order
from server.rules.events import Event
from server.rules.lobby import Lobby, Player
from server.rules.payments import Invoice

_EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {
        re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): kind
        for kind in get_args(events.Event)
    }
)
_EVENT_TYPES: Mapping[type[Event], str] = MappingProxyType(
    {kind: name for name, kind in _EVENTS.items()}
)


@cache
def _reader(name: str) -> Callable[[str], Event]:
    # Without what the adapter adds, which takes as long: each event of every log is read so.
    read: Callable[[str], Event] = TypeAdapter(_EVENTS[name]).validator.validate_json
    return read


def event_type(event: Event) -> str:
    """The name of an event in the stream: its class in snake case."""
    return _EVENT_TYPES[type(event)]


def event_json(event: Event) -> str:
    """The facts of an event as JSON."""
    return orjson.dumps(event).decode()


def read_event(name: str, data: str) -> Event:
    """The event of that type with those facts."""
    return _reader(name)(data)


def text(value: Any) -> str:
    """A value as a field of a hash: a string as it is, nothing for None, JSON for the rest."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


T = TypeVar("T")


class HashCodec(Generic[T]):
    """A dataclass as a hash, a field each, without those that live elsewhere."""

    def __init__(self, kind: type[T], without: Collection[str] = ()) -> None:
        hints = get_type_hints(kind)
        kept = [f for f in fields(kind) if f.name not in without]  # type: ignore[arg-type]
        names = [f.name for f in kept]
        self._names = names
        self._values: Callable[[T], tuple[Any, ...]] = attrgetter(*names)
        self._empty_values = {f.name: _empty_value(f.default, hints[f.name]) for f in kept}
        self._plain = frozenset(name for name in names if _is_text(hints[name]))
        self._kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self._kind)

    def write(self, value: T, before: T | None = None) -> dict[str, str]:
        """The fields of the hash; only those that a change from `before` gave a new value."""
        values = self._values(value)
        if before is None:
            return {name: text(new) for name, new in zip(self._names, values, strict=True)}
        known = self._values(before)
        return {
            name: text(new)
            for name, old, new in zip(self._names, known, values, strict=True)
            if old is not new
        }

    def read(self, texts: Mapping[str, str], **elsewhere: Any) -> T:
        """The value of a hash, with what lives elsewhere. A field that is absent counts as empty,
        since an earlier version may not have had it; one that is not known is ignored."""
        values = elsewhere
        for name, empty in self._empty_values.items():
            field = texts.get(name, "")
            if field == "":
                values[name] = empty
            else:
                values[name] = field if name in self._plain else orjson.loads(field)
        return self._adapter.validator.validate_python(values)  # type: ignore[no-any-return]


def _is_text(hint: Any) -> bool:
    """Whether the values of a type are texts, or None."""
    if get_origin(hint) in (Union, UnionType):
        return all(_is_text(option) for option in get_args(hint) if option is not NoneType)
    return hint is str or get_origin(hint) is Literal


def _empty_value(default: Any, hint: Any) -> Any:
    if default is not MISSING:
        return default
    return "" if hint is str else None


def why(error: Exception) -> str:
    """Why something could not be read, on one line and without what was there: it may be secret."""
    if not isinstance(error, ValidationError):
        return repr(error)
    details = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, d['loc']))}: {d['msg']}" for d in details)


_ENTROPY_BEFORE_BEACON: Final = "entropy_before_beacon"
"""The field for `entropy` in a lobby with a beacon: a version that knows none would take the order
from the seed and `entropy`, and so must not find it."""
_LOBBY: Final = HashCodec(Lobby, without=("players", "called", "order"))
_PLAYER: Final = HashCodec(Player)
_INVOICE: Final = HashCodec(Invoice, without=("units", "owed_units", "deliveries"))


def lobby_hash(lobby: Lobby, before: Lobby | None = None) -> dict[str, str]:
    """The lobby's hash, without the position of its log; `players` names the players in order. Only
    the fields that changed since `before`."""
    changed = _LOBBY.write(lobby, before)
    if lobby.beacon is None:
        changed.pop("beacon", None)
    elif "entropy" in changed:
        changed[_ENTROPY_BEFORE_BEACON] = changed.pop("entropy")
    if before is None or list(before.players) != list(lobby.players):
        changed["players"] = text(list(lobby.players))
    return changed


def player_hash(player: Player, before: Player | None = None) -> dict[str, str]:
    """A player's hash. Only the fields that changed since `before`."""
    return _PLAYER.write(player, before)


def read_lobby(
    lobby: Mapping[str, str], players: Sequence[Mapping[str, str]], called: Sequence[str]
) -> Lobby:
    """The lobby that these hashes and this list hold."""
    seated = [_PLAYER.read(player) for player in players]
    variant = orjson.loads(lobby["variant"])
    order: tuple[int, ...] = ()
    drawn_by = lobby.get("entropy")
    if entropy := lobby.get(_ENTROPY_BEFORE_BEACON):
        lobby = {**lobby, "entropy": entropy}
        signature = orjson.loads(lobby["beacon"])["signature"]
        drawn_by = mixed(entropy, randomness(signature)) if signature else None
    if drawn_by:
        seed = bytes.fromhex(lobby["server_seed"])
        order = call_order(seed, lobby["lobby_id"], drawn_by, variant["highest"])
    return _LOBBY.read(
        lobby,
        players={player.alien_id: player for player in seated},
        called=tuple(map(int, called)),
        order=order,
    )


_DELIVERY_PREFIX: Final = "delivery:"


def delivery_field(key: str) -> str:
    """The field of an invoice's hash for a recorded delivery: the units owed back of it."""
    return _DELIVERY_PREFIX + key


def read_invoice(invoice: Mapping[str, str]) -> Invoice:
    """The invoice that this hash holds."""
    owed_of = {
        name.removeprefix(_DELIVERY_PREFIX): int(units)
        for name, units in invoice.items()
        if name.startswith(_DELIVERY_PREFIX)
    }
    units = int(invoice["amount"])
    # What paid a seat is what its invoice asked for: `refunded_units` says only that it is owed
    # back. It is in the unit of the server that wrote it, which need not be the invoice's.
    refunded = units if int(invoice.get("refunded_units") or "0") else 0
    return _INVOICE.read(
        invoice,
        units=units,
        owed_units=sum(owed_of.values()) + refunded,
        deliveries=frozenset(owed_of),
    )
