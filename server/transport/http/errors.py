"""The one place where what went wrong in an HTTP request becomes an answer."""

import secrets
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from protocol.errors import ErrorCode, Refused
from server.runtime.log_context import bind_ids
from server.store.errors import StoreUnavailable
from server.transport.counts import Counts
from server.transport.http.requests import PAYLOAD
from server.transport.problems import problem, route_problem

LOGGED_PATH_LENGTH: Final = 200

log = structlog.get_logger(__name__)


def error_middleware(counts: Counts) -> Middleware:
    """Answers what handlers raise; what is no refusal is a bug of ours, logged and counted. Every
    line that is logged for a request carries an id of its own, the method and the path."""

    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Nothing is to be undone: aiohttp has a task for each request.
        bind_ids(
            request_id=secrets.token_hex(8),
            method=request.method,
            path=request.rel_url.raw_path[:LOGGED_PATH_LENGTH],
        )
        try:
            return await handler(request)
        except web.HTTPException as error:
            error.__traceback__ = None  # aiohttp keeps it with the request, which is in there
            return error if error.status < 400 else route_problem(error)
        except StoreUnavailable as error:
            log.warning("request_without_store", error=str(error))
            return problem(Refused(ErrorCode.UNAVAILABLE))
        except Exception:
            counts.failures += 1
            log.exception("request_failed", payload=request.get(PAYLOAD))
            return problem(Refused(ErrorCode.INTERNAL))

    return answer_errors
