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
_ROLES: Final = {"master": "primary", "slave": "replica"}
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
    role: str | None = None
    """`primary` or `replica`; None if the store does not report it."""
    replicas: int | None = None
    """How many replicas are connected and in step; None if the store does not report it."""
    process: str | None = None
    """Which process it is; None if the store does not report it."""
    stops_as_one: bool = False
    """Whether the loss of one shard of the cluster stops all others."""
    memory_bytes: int | None = None
    """What it uses; None if the store does not report it."""
    memory_limit_bytes: int | None = None
    """Its `maxmemory` or else its machine's; None if the store does not report it."""


def together(found: Mapping[str, Findings]) -> Findings | None:
    """What was found of several shards, by their names, which the words begin with."""
    if not found:
        return None

    def of_all(field: str) -> tuple[str, ...]:
        of_each = ((name, getattr(each, field)) for name, each in found.items())
        return tuple(f"{name}: {text}" if name else text for name, of in of_each for text in of)

    shards = list(found.values())
    counts = [each.replicas for each in shards if each.replicas is not None]
    roles = {each.role for each in shards}
    fullest = max(shards, key=_fullness)
    return Findings(
        weak=of_all("weak"),
        unfit=of_all("unfit"),
        hidden=tuple(dict.fromkeys(name for each in shards for name in each.hidden)),
        rewriting=any(each.rewriting for each in shards),
        role=roles.pop() if len(roles) == 1 else None,
        replicas=min(counts, default=None),
        process=shards[0].process if len(shards) == 1 else None,
        stops_as_one=any(each.stops_as_one for each in shards),
        memory_bytes=fullest.memory_bytes,
        memory_limit_bytes=fullest.memory_limit_bytes,
    )


def _fullness(found: Findings) -> float:
    return (found.memory_bytes or 0) / (found.memory_limit_bytes or 1)


async def inspect(
    ask: Ask, needed: Sequence[Permission], replicas: int = 0, *, in_cluster: bool = False
) -> Findings:
    """Inspect the store through `ask`; `needed` is what its user has to be permitted, `replicas`
    how many are waited for. `in_cluster`: whether it is to be one of a cluster.

    Raises StoreUnavailable when it has no time for that.
    """
    append, memory, minimum, coverage, info, role, denied = await ask(
        ("CONFIG", "GET", "*append*"),
        ("CONFIG", "GET", "maxmemory*"),
        ("CONFIG", "GET", "min-replicas*"),
        ("CONFIG", "GET", "cluster-require-full-coverage"),
        ("INFO",),
        ("ROLE",),
        ("EVAL", _DENIED, 0, orjson.dumps(needed)),
    )
    about = info if isinstance(info, dict) else {}
    in_step = _in_step(about)
    faults = {
        "durability": _durability(_settings(append)),
        "maxmemory": _eviction(about | _settings(memory)),
        "role": _role(about, role),
        "permissions": _permissions(denied, needed),
        "replicas": _enough(in_step, replicas),
        "min-replicas-to-write": _minimum(_settings(minimum), replicas),
    }
    all_or_none = _settings(coverage).get("cluster_require_full_coverage")
    machine_bytes = _bytes(about.get("total_system_memory"))
    is_alone = about.get("cluster_enabled", int(in_cluster)) == 0
    unfit = ("it is one of a cluster, of which a single address knows only a part",)
    return Findings(
        weak=tuple(fault for fault in faults.values() if fault),
        unfit=unfit if not (is_alone or in_cluster) else (),
        hidden=tuple(name for name, fault in faults.items() if fault is None),
        rewriting=1 in (about.get("aof_rewrite_in_progress"), about.get("aof_rewrite_scheduled")),
        role=_ROLES.get(_named_role(about, role) or ""),
        replicas=in_step,
        process=about.get("run_id"),
        stops_as_one=in_cluster and all_or_none == "yes",
        memory_bytes=_bytes(about.get("used_memory")),
        memory_limit_bytes=_bytes(about.get("maxmemory")) or machine_bytes,
    )


def _bytes(value: Any) -> int | None:
    return value if isinstance(value, int) else None


# Each of these returns the fault, "" if there is none, and None if the store does not disclose it.


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
    found = _named_role(about, role)
    if found is None:
        return None
    return "it is a replica" if found == "slave" else ""


def _named_role(about: Mapping[str, Any], role: Any) -> str | None:
    named = role[0] if isinstance(role, Sequence) and not isinstance(role, str) else None
    found: str | None = about.get("role", named)
    return found


def _in_step(about: Mapping[str, Any]) -> int | None:
    if "connected_slaves" not in about:
        return None
    named = (about.get(f"slave{place}") for place in range(about["connected_slaves"]))
    return len([each for each in named if isinstance(each, dict) and each["state"] == "online"])


def _enough(in_step: int | None, replicas: int) -> str | None:
    if in_step is None:
        return None if replicas else ""
    if in_step >= replicas:
        return ""
    return f"it has {in_step} of the {replicas} replicas that STORE_REPLICAS waits for"


def _minimum(settings: Mapping[str, Any], replicas: int) -> str | None:
    if not replicas:
        return ""
    least = settings.get("min_replicas_to_write")
    if least is None:
        return None
    if int(settings.get("min_replicas_max_lag", 1)) == 0:
        return "min-replicas-max-lag 0 switches min-replicas-to-write off"
    return "" if int(least) >= replicas else f"min-replicas-to-write {least} instead of {replicas}"


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
