"""The one place where what went wrong in an HTTP request becomes an answer."""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from protocol.errors import ErrorCode, Refused
from server.store.errors import StoreUnavailable
from server.transport.counts import Counts
from server.transport.problems import problem, route_problem

log = structlog.get_logger(__name__)


def error_middleware(counts: Counts) -> Middleware:
    """Answers what handlers raise; what is no refusal is a bug of ours, logged and counted."""

    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            return error if error.status < 400 else route_problem(error)
        except StoreUnavailable as error:
            log.warning("request_without_store", path=request.path, error=str(error))
            return problem(Refused(ErrorCode.UNAVAILABLE))
        except Exception:
            counts.failures += 1
            log.exception("request_failed", method=request.method, path=request.path)
            return problem(Refused(ErrorCode.INTERNAL))

    return answer_errors
