"""The published JSON Schema, to hold messages against."""

import json
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import BaseModel

from protocol.documents.files import FOLDER

_SCHEMA = json.loads((FOLDER / "schema.json").read_text("utf-8"))


def schema_of(*models: type[BaseModel]) -> Any:
    """Says whether a value is one of these models as the schema publishes them."""
    either = [{"$ref": f"#/$defs/{model.__name__}"} for model in models]
    return Draft202012Validator({**_SCHEMA, "anyOf": either})
