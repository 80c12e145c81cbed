"""From what a client sent to a request that can be carried out."""

from typing import Any, TypeVar

from pydantic import ValidationError

from protocol.errors import ErrorCode, Refused
from protocol.views import Request

R = TypeVar("R", bound=Request)


def parse_request(model: type[R], payload: Any, alien_id: str) -> R | Refused:
    """The request in `payload`, sent by the player `alien_id`."""
    if not isinstance(payload, dict):
        return Refused(ErrorCode.INVALID_MESSAGE)
    try:
        request = model.model_validate(payload)
    except ValidationError:
        return Refused(ErrorCode.INVALID_MESSAGE)
    if request.alien_id not in (None, alien_id):
        return Refused(ErrorCode.IDENTITY_MISMATCH)
    return request
