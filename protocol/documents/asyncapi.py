"""AsyncAPI 3 of the sockets."""

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

from protocol.documents.published import Model
from protocol.documents.schema import Json, definitions
from protocol.documents.sockets import ANSWERS, NAMESPACES, Namespace
from protocol.errors import ErrorAnswer, ErrorBody
from protocol.example_game import LOBBY_ID
from protocol.examples import EXAMPLES
from protocol.from_client import Auth

_SCHEMAS: Final = "#/components/schemas/"
_ABOUT: Final = """\
The game over Socket.IO protocol 5 (Engine.IO 4), with `transports: ["websocket"]`. A channel is a
namespace, a message is an event; its payload is the one argument. A command is answered through
the acknowledgement. Connecting sends `Auth` as the packet's `auth`; a refused connect carries
`ErrorBody` as its `data`. Every event to a lobby's room has a `seq` (1, 2, 3 ... without a gap) and
`at`, the Unix time in ms of the change."""


def asyncapi(version: str) -> Json:
    """The document of this version of the package, from the server's side: it receives commands
    and sends events."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fair Bingo over sockets",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": "localhost:8000",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "description": "The server of `make run`; in production `wss`.",
            }
        },
        "channels": {name: _channel(space) for name, space in NAMESPACES.items()},
        "operations": {
            name: operation
            for channel, space in NAMESPACES.items()
            for name, operation in _operations(channel, space)
        },
        "components": {"schemas": _schemas()},
    }


def _channel(space: Namespace) -> Json:
    channel: Json = {
        "address": space.address,
        "title": space.title,
        "description": space.description,
        "messages": _messages(space),
    }
    if "{lobby_id}" in space.address:
        channel["parameters"] = {"lobby_id": {"examples": [LOBBY_ID]}}
    return channel


def _messages(space: Namespace) -> Json:
    messages = {"connect": _message("connect", Auth), "refused": _message("refused", ErrorBody)}
    for name, model in chain(space.commands.items(), space.events.items()):
        messages[name] = _message(name, model)
    for name, command in space.commands.items():
        for answer in ANSWERS[command]:
            messages[answer.__name__] = _message(name, answer)
    return messages | {ErrorAnswer.__name__: _message("error", ErrorAnswer)}


def _message(name: str, model: Model) -> Json:
    return {
        "name": name,
        "summary": " ".join((model.__doc__ or "").split()),
        "payload": {"$ref": _SCHEMAS + model.__name__},
        "examples": [{"payload": EXAMPLES[model]}],
    }


def _operations(channel: str, space: Namespace) -> Iterable[tuple[str, Json]]:
    yield f"{channel}.connect", _asked(channel, "connect", (*space.welcome, "refused"))
    for name, command in space.commands.items():
        answers = [answer.__name__ for answer in ANSWERS[command]] + [ErrorAnswer.__name__]
        yield f"{channel}.{name}", _asked(channel, name, answers)
    for name in space.events:
        yield f"{channel}.{name}", _operation("send", channel, name)


def _asked(channel: str, name: str, answers: Iterable[str]) -> Json:
    reply = {
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [_reference(channel, answer) for answer in answers],
    }
    return {**_operation("receive", channel, name), "reply": reply}


def _operation(action: str, channel: str, name: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [_reference(channel, name)],
    }


def _reference(channel: str, message: str) -> Json:
    return {"$ref": f"#/channels/{channel}/messages/{message}"}


def _schemas() -> dict[str, Any]:
    spaces = NAMESPACES.values()
    taken: list[Model] = [Auth, *(model for space in spaces for model in space.commands.values())]
    sent: list[Model] = [ErrorBody, ErrorAnswer, *chain.from_iterable(ANSWERS.values())]
    sent += [model for space in spaces for model in space.events.values()]
    found = definitions(taken, sent, _SCHEMAS + "{model}")
    return {name: _draft_7(schema) for name, schema in found.items()}


def _draft_7(schema: Any) -> Any:
    """The same in the dialect of AsyncAPI, which has another word for the items of a tuple."""
    match schema:
        case {"prefixItems": items, **rest}:
            return {**rest, "items": _draft_7(items)}
        case dict():
            return {name: _draft_7(value) for name, value in schema.items()}
        case list():
            return [_draft_7(value) for value in schema]
    return schema
