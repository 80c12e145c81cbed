"""JSON Schema of the models, as they stand on the wire."""

from collections.abc import Iterable
from typing import Any, Final, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from protocol.documents.published import PUBLISHED_AS
from protocol.errors import ERRORS, ErrorCode
from protocol.to_client import RoomEvent
from protocol.views import UnixMs

Json = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SEQ: Final = {"type": "integer", "minimum": 1}


class WireSchema(GenerateJsonSchema):
    """What pydantic makes of a model, but for what it cannot know: a field that we send is always
    there, unless it may be None by default, and then it is absent; a room event has `seq` and
    `at`; an error code has its row of the table."""

    def ser_schema(self, schema: Any) -> Json | None:
        """Our serializers only leave out what is None."""
        return None if schema["type"] == "function-wrap" else super().ser_schema(schema)

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Whether the field is always there."""
        if self.mode == "validation" or field["type"] == "typed-dict-field":
            return super().field_is_required(field, total)
        schema = field["schema"]
        return schema["type"] != "default" or schema["default"] is not None

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A name says as much as the title that is made of it."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        """What we send is absent when it is None by default, never null."""
        inner = schema["schema"]
        if self.mode == "serialization" and inner["type"] == "nullable":
            inner = inner["schema"]
        return self.generate_inner(inner)

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """The schema of a model, with all that it has on the wire."""
        model = schema["cls"]
        if model in PUBLISHED_AS:
            return self.generate_inner(TypeAdapter(PUBLISHED_AS[model]).core_schema)
        published = super().model_schema(schema)
        if issubclass(model, RoomEvent):
            at = self.generate_inner(TypeAdapter(UnixMs).core_schema)
            published["properties"] = {"seq": _SEQ, "at": at, **published["properties"]}
            published["required"] = ["seq", "at", *published["required"]]
        return published

    def enum_schema(self, schema: core_schema.EnumSchema) -> Json:
        """The error codes, each with what it means."""
        if schema["cls"] is not ErrorCode:
            return super().enum_schema(schema)
        return {"description": ErrorCode.__doc__, "oneOf": [_row(code) for code in ErrorCode]}


def _row(code: ErrorCode) -> Json:
    entry = ERRORS[code]
    return {
        "const": code.value,
        "description": entry.message,
        "x-http-status": entry.http_status,
        "x-retry": entry.retry,
    }


def definitions(
    taken: Iterable[type[BaseModel]], sent: Iterable[type[BaseModel]], ref_template: str
) -> dict[str, Json]:
    """The schemas, by name, of the models that the server takes, of those that it sends, and of
    all that they are made of."""
    modes: list[tuple[Any, JsonSchemaMode]] = [
        *((model, "validation") for model in taken),
        *((model, "serialization") for model in sent),
    ]
    _, schema = models_json_schema(modes, ref_template=ref_template, schema_generator=WireSchema)
    return cast(dict[str, Json], schema["$defs"])
