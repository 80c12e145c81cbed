"""All documents, as the files that hold them."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from protocol import examples
from protocol.documents.asyncapi import asyncapi
from protocol.documents.openapi import openapi
from protocol.documents.page import page
from protocol.documents.schema import DIALECT, Json, definitions
from protocol.documents.typescript import typescript

FOLDER: Final = Path(__file__).parents[1]
"""Where the documents are kept."""


def documents() -> Mapping[str, str]:
    """The text of each document by the name of its file; always the same for the same models."""
    version = _version()
    schema = _schema(version)
    apis = asyncapi(version), openapi(version)
    types = typescript(schema["$defs"])
    return {
        "schema.json": _json(schema),
        "asyncapi.json": _json(apis[0]),
        "openapi.json": _json(apis[1]),
        "types.ts": types,
        "js/messages.d.ts": types,
        "docs.html": page(*apis, schema),
    }


def _version() -> str:
    """The package's version, as it stands in the source tree."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text("utf-8"))
    return str(project["project"]["version"])


def _schema(version: str) -> Json:
    return {
        "$schema": DIALECT,
        "title": f"Messages of Fair Bingo {version}",
        "$defs": definitions(examples.FROM_CLIENT, examples.TO_CLIENT, "#/$defs/{model}"),
    }


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
