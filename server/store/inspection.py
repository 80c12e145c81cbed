"""The inspection of the store: whether it keeps what it acknowledges, and permits our writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import orjson
from redis.exceptions import NoPermissionError

from server.store import keys
from server.store.connection import Ask
from server.store.errors import StoreUnavailable
from server.store.permissions import Permission

_DENIED: Final = files("server.store").joinpath("lua", "denied.lua").read_text()
_STRONG: Final = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
}
_NAMED: Final = 3
"""How many denied commands the message names at most."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What an inspection found, in a few words: `weak` is why a payment may be lost or refused,
    `unfit` why the store cannot be played on at all, `hidden` what it does not disclose.
    `rewriting`: a new append-only file is being made."""

    weak: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    rewriting: bool = False


async def inspect(ask: Ask, needed: Sequence[Permission]) -> Findings:
    """Inspect the store through `ask`; `needed` is what its user has to be permitted.

    Raises StoreUnavailable when it has no time for that.
    """
    append, memory, info, role, denied = await ask(
        ("CONFIG", "GET", "*append*"),
        ("CONFIG", "GET", "maxmemory*"),
        ("INFO",),
        ("ROLE",),
        ("EVAL", _DENIED, 0, orjson.dumps(needed)),
    )
    about = info if isinstance(info, dict) else {}
    weak, hidden = [], []
    for name, found in (
        ("durability", _durability(_settings(append))),
        ("maxmemory", _eviction(about | _settings(memory))),
        ("role", _role(about, role)),
        ("permissions", _permissions(denied, needed)),
    ):
        if found is None:
            hidden.append(name)
        elif found:
            weak.append(found)
    in_cluster = about.get("cluster_enabled") == 1
    unfit = ("it is one of a cluster, of which a single address knows only a part",)
    return Findings(
        tuple(weak),
        unfit if in_cluster else (),
        tuple(hidden),
        about.get("aof_rewrite_in_progress") == 1 or about.get("aof_rewrite_scheduled") == 1,
    )


# Each of these returns what is weak, "" if nothing is, and None if the store does not disclose it.


def _durability(settings: Mapping[str, Any]) -> str | None:
    if not {"appendonly", "appendfsync"} <= settings.keys():
        return None
    return " and ".join(
        f"{name} {settings[name]} instead of {value}"
        for name, value in _STRONG.items()
        if settings.get(name, value) != value
    )


def _eviction(settings: Mapping[str, Any]) -> str | None:
    if not {"maxmemory", "maxmemory_policy"} <= settings.keys():
        return None
    policy = settings["maxmemory_policy"]
    evicts = int(settings["maxmemory"]) > 0 and policy != "noeviction"
    return f"maxmemory-policy {policy} instead of noeviction" if evicts else ""


def _role(about: Mapping[str, Any], role: Any) -> str | None:
    named = role[0] if isinstance(role, Sequence) and not isinstance(role, str) else None
    found = about.get("role", named)
    if found is None:
        return None
    return "it is a replica" if found == "slave" else ""


def _permissions(denied: Any, needed: Sequence[Permission]) -> str | None:
    if denied is None:
        return None
    if isinstance(denied, NoPermissionError):
        return f"the user may not run scripts ({denied})"
    if isinstance(denied, Exception):
        raise StoreUnavailable(str(denied))
    names = dict.fromkeys(_named(needed[place - 1]) for place in denied)
    if not names:
        return ""
    more = " and more" if len(names) > _NAMED else ""
    return f"the user may not {', '.join([*names][:_NAMED])}{more}"


def _named(permission: Permission) -> str:
    match permission:
        case ("EVALSHA", _, "1", key):
            return f"read and write {key}"
        case (command, channel, *_) if command.endswith(("PUBLISH", "SUBSCRIBE")):
            return f"{command} {channel}"
        case (command, key) if key in (keys.NODES, keys.TABLES, keys.UNMATCHED):
            return f"run {command} on {key}"
    return f"run {permission[0]}"


def _settings(answer: Any) -> dict[str, Any]:
    """The answer to CONFIG GET, with names as INFO has them; nothing where it is refused."""
    if isinstance(answer, Exception) or not answer:
        return {}
    pairs = zip(answer[::2], answer[1::2], strict=True)
    return {name if name in _STRONG else name.replace("-", "_"): value for name, value in pairs}
