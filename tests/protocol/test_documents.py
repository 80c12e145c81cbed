"""The documents of the protocol: as the models say, valid, and with an example of everything."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from pydantic import BaseModel

from protocol.documents.files import FOLDER, documents
from protocol.documents.openapi import openapi
from protocol.documents.page import page
from protocol.documents.sockets import ANSWERS, NAMESPACES
from protocol.errors import ERRORS
from protocol.examples import EXAMPLES, FROM_CLIENT, ROOM, TO_CLIENT
from protocol.room_events import read_room_message
from protocol.to_client import ROOM_EVENTS
from server.rules.verify import verify_proof
from tests.protocol.wire import schema_of

APIS = ("asyncapi", "openapi", "schema")
SCHEMA = json.loads((FOLDER / "schema.json").read_text("utf-8"))


def test_the_documents_are_those_that_the_models_make() -> None:
    kept = {name: (FOLDER / name).read_text("utf-8") for name in documents()}
    assert kept == documents(), "run `make docs`"


def test_no_text_of_a_model_becomes_markup_but_code_and_links() -> None:
    kept = {name: json.loads((FOLDER / f"{name}.json").read_text("utf-8")) for name in APIS}
    kept["asyncapi"]["info"]["description"] = "<i> and `<b>`"
    kept["asyncapi"]["channels"]["lobby"]["title"] = "<i>A lobby</i>"
    kept["schema"]["$defs"] = {"Ticket": {"description": "", "const": "<i>Ticket</i>"}}

    text = page(*(kept[name] for name in APIS))

    assert "<p>&lt;i&gt; and <code>&lt;b&gt;</code></p>" in text
    assert '&lt;i&gt;<a href="#type-Ticket">Ticket</a>&lt;/i&gt;' in text
    assert not any(tag in text for tag in ("<i>", "<b>"))


def test_the_schema_is_json_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for definition in SCHEMA["$defs"].values():
        Draft202012Validator.check_schema(definition)


def test_the_openapi_document_is_valid() -> None:
    validate(json.loads((FOLDER / "openapi.json").read_text("utf-8")))


def test_every_message_of_a_socket_has_an_example() -> None:
    messages: set[type[BaseModel]] = set()
    for namespace in NAMESPACES.values():
        messages |= {*namespace.commands.values(), *namespace.events.values()}
        for command in namespace.commands.values():
            messages |= {*ANSWERS[command]}
    assert messages <= set(EXAMPLES)
    assert set(ROOM) == set(ROOM_EVENTS.values())


@pytest.mark.parametrize("model", EXAMPLES, ids=lambda model: model.__name__)
def test_every_example_conforms_to_its_schema(model: type[BaseModel]) -> None:
    schema_of(model).validate(EXAMPLES[model])


@pytest.mark.parametrize("model", FROM_CLIENT, ids=lambda model: model.__name__)
def test_the_server_takes_every_example_of_a_client(model: type[BaseModel]) -> None:
    model.model_validate(FROM_CLIENT[model], strict=True)


@pytest.mark.parametrize("name", ROOM_EVENTS)
def test_the_client_reads_every_example_of_the_room(name: str) -> None:
    model = ROOM_EVENTS[name]
    assert isinstance(read_room_message(name, ROOM[model]), model)


@pytest.mark.parametrize("model", TO_CLIENT, ids=lambda model: model.__name__)
def test_the_schema_wants_every_field_that_an_example_has(model: type[BaseModel]) -> None:
    schema = SCHEMA["$defs"][model.__name__]
    for name in schema.get("required", []):
        without = {key: value for key, value in EXAMPLES[model].items() if key != name}
        assert not schema_of(model).is_valid(without)
    if schema.get("additionalProperties") is False:
        assert not schema_of(model).is_valid({**EXAMPLES[model], "more": 1})


def test_the_proof_of_the_examples_holds() -> None:
    finished: Any = next(x for model, x in ROOM.items() if model.__name__ == "GameFinished")
    assert verify_proof(finished["proof"]) == []


def test_the_schema_has_the_table_of_errors() -> None:
    rows = {row["const"]: row for row in SCHEMA["$defs"]["ErrorCode"]["oneOf"]}
    assert set(rows) == {code.value for code in ERRORS}
    for code, entry in ERRORS.items():
        row = rows[code.value]
        found = (row["x-http-status"], row["x-retry"], row["description"])
        assert found == (entry.http_status, entry.retry, entry.message)


def test_the_openapi_document_shows_an_example_of_every_body() -> None:
    contents = [
        content
        for path in openapi("1")["paths"].values()
        for operation in path.values()
        for body in (operation.get("requestBody"), *operation["responses"].values())
        if body is not None
        for media_type, content in body["content"].items()
        if "$ref" in content["schema"]
    ]
    assert contents
    assert all("example" in content or content["examples"] for content in contents)
