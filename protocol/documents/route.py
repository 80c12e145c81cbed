"""An HTTP route as the documents have it, and the refusals that many routes share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from protocol.errors import ErrorCode as Code

Answer = type[BaseModel] | str
"""A model in JSON, or the media type of a text."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `answers` are those that are no refusal, by status."""

    method: str
    path: str
    summary: str
    answers: Mapping[int, Answer]
    refusals: tuple[Code, ...] = (Code.INTERNAL,)
    body: type[BaseModel] | None = None
    body_required: bool = True
    needs_token: bool = False
    for_operators: bool = False
    headers: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)


BODY: Final = (
    *(Code.INVALID_MESSAGE, Code.IDENTITY_MISMATCH, Code.TOO_LARGE, Code.UNSUPPORTED_ENCODING),
    Code.TOO_SLOW,
)
ANY: Final = (Code.INTERNAL, Code.UNAVAILABLE)
TOKEN: Final = (Code.UNAUTHORIZED, Code.TOKEN_EXPIRED, Code.RATE_LIMITED, *ANY)
