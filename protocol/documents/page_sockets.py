"""The part of the page on sockets."""

from protocol.documents.links import linked, referred
from protocol.documents.markup import Markup, element, example, joined, prose
from protocol.documents.schema import Json


def channel_part(asyncapi: Json, name: str) -> Markup:
    """What may be said in the namespace of that name, by both sides."""
    channel = asyncapi["channels"][name]
    found = [
        operation
        for operation in asyncapi["operations"].values()
        if operation["channel"]["$ref"].endswith(f"/{name}")
    ]
    asked = [operation for operation in found if operation["action"] == "receive"]
    said = [operation for operation in found if operation["action"] == "send"]
    return joined(
        [
            prose(f"`{channel['address']}`"),
            prose(channel["description"]),
            element("h3", "You send"),
            *(_operation(channel, operation) for operation in asked),
            element("h3", "The server sends"),
            *(_operation(channel, operation) for operation in said),
        ]
    )


def _operation(channel: Json, operation: Json) -> Markup:
    message = channel["messages"][referred(operation["messages"][0])]
    answers = [
        channel["messages"][referred(answer)]["payload"]
        for answer in operation.get("reply", {"messages": []})["messages"]
    ]
    names = [referred(answer) for answer in answers]
    return element(
        "article",
        element("h4", element("code", message["name"])),
        prose(message["summary"]),
        linked("Message", [referred(message["payload"])]),
        linked("Answer", names) if names else Markup(),
        example(message["examples"][0]["payload"]),
    )
