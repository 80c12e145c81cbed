"""TypeScript types of all messages, and of the sockets of a stock client."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from protocol.documents.schema import Json
from protocol.documents.sockets import ANSWERS, NAMESPACES, Namespace
from protocol.errors import ErrorAnswer

_HEAD = """\
// The messages of Fair Bingo, generated from its models. A socket of socket.io-client is a
// Socket<FrontDeskEvents, FrontDeskCommands> or a Socket<LobbyEvents, LobbyCommands>.
"""


def typescript(definitions: Mapping[str, Json]) -> str:
    """A module with a type for each definition of a JSON Schema, by its name, and with the events
    and commands of each namespace."""
    types = [_declaration(name, schema) for name, schema in definitions.items()]
    maps = [_maps(channel, space) for channel, space in NAMESPACES.items()]
    return "\n".join([_HEAD, *types, *maps])


def _declaration(name: str, schema: Json) -> str:
    comment = _comment(schema.get("description"))
    if "properties" not in schema:
        return f"{comment}export type {name} = {type_text(schema)};\n"
    return f"{comment}export interface {name} {{\n{_fields(schema)}}}\n"


def _comment(text: str | None) -> str:
    if text is None:
        return ""
    lines = "".join(f" * {line}".rstrip() + "\n" for line in text.splitlines())
    return f"/**\n{lines} */\n"


def _fields(schema: Json) -> str:
    required = schema.get("required", ())
    return "".join(
        f"  {name}{'' if name in required else '?'}: {type_text(field)};\n"
        for name, field in schema["properties"].items()
    )


def type_text(schema: Any) -> str:
    """The type that a JSON Schema means."""
    match schema:
        case {"$ref": reference}:
            return str(reference).rpartition("/")[2]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(map(json.dumps, values))
        case {"anyOf": choices} | {"oneOf": choices}:
            return " | ".join(map(type_text, choices))
        case {"type": "array", "prefixItems": items}:
            return f"[{', '.join(map(type_text, items))}]"
        case {"type": "array", "items": items}:
            return f"Array<{type_text(items)}>"
        case {"type": "object", "additionalProperties": dict() as values}:
            return f"Record<string, {type_text(values)}>"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": "integer"}:
            return "number"
        case {"type": name}:
            return str(name)
    return "unknown"


def _maps(channel: str, space: Namespace) -> str:
    name = channel[0].upper() + channel[1:]
    events = (
        f"  {event}: (message: {_name(model)}) => void;" for event, model in space.events.items()
    )
    commands = (
        f"  {command}: (message: {_name(model)}, answer: (answer: {_answers(ANSWERS[model])}) "
        "=> void) => void;"
        for command, model in space.commands.items()
    )
    return "\n".join([_map(f"{name}Events", events), _map(f"{name}Commands", commands)])


def _map(name: str, rows: Iterable[str]) -> str:
    return "\n".join([f"export interface {name} {{", *rows, "}", ""])


def _answers(models: Iterable[type[BaseModel]]) -> str:
    return " | ".join([*map(_name, models), _name(ErrorAnswer)])


def _name(model: type[BaseModel]) -> str:
    return model.__name__
