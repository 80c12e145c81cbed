"""The one place where what went wrong in a packet becomes a refusal."""

from collections.abc import Awaitable
from typing import Any, TypeVar

import structlog

from protocol.errors import ErrorCode, Refused
from server.runtime.log_context import bind_ids, unbind_ids
from server.store.errors import StoreUnavailable
from server.transport.counts import Counts

T = TypeVar("T")

log = structlog.get_logger()


async def guarded(work: Awaitable[T], counts: Counts, payload: Any, **ids: str) -> T | Refused:
    """What `work` comes to; `unavailable` without the store; `internal` if it raises anything
    else, which is an error of ours. Every line that it logs carries `ids`, and the line of such an
    error also what the client sent."""
    bound = bind_ids(**ids)
    try:
        return await work
    except StoreUnavailable:
        return Refused(ErrorCode.UNAVAILABLE)
    except Exception:
        counts.failures += 1
        # The secrets in an object are masked by their names, elsewhere they have none.
        shown = payload if isinstance(payload, dict) else type(payload).__name__
        log.exception("unexpected_error", payload=shown)
        return Refused(ErrorCode.INTERNAL)
    finally:
        unbind_ids(bound)
