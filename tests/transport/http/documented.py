"""The OpenAPI document, to hold answers against."""

import json
from typing import Any

from jsonschema import Draft202012Validator

from protocol.documents.files import FOLDER
from tests.system.game_server import HttpAnswer

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text("utf-8"))


def assert_documented(method: str, path: str, answer: HttpAnswer) -> None:
    """Fail unless the document has this answer for the route: status, media type and shape."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    assert str(answer.status) in responses, answer
    content = responses[str(answer.status)]["content"]
    assert answer.content_type in content, answer
    schema = {**content[answer.content_type]["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(answer.body)
