"""Logs: one line for each event on stderr, ours and the libraries' alike."""

import logging
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor

from server.runtime.log_context import add_ids

SECRET_FIELDS = frozenset(
    {"token", "authorization", "signature", "server_seed", "client_seed", "grid", "numbers"}
)
MASK = "***"
_PLAIN = frozenset({str, int, float, bool, type(None)})

# They log every request or packet, contents included. A level of their own also keeps
# python-socketio and python-engineio from adding handlers to their `.server` loggers.
NOISY_LOGGERS = (
    *("aiohttp.access", "alembic", "httpcore", "httpx"),
    *("socketio", "socketio.server", "engineio", "engineio.server"),
)


def configure(level: str, format: Literal["json", "console"], *, worker: int | None = None) -> None:
    """Sends what structlog and the standard `logging` get to stderr, from `level` on, with the
    number of the `worker` that it comes from, if it is one of several.

    `json` writes one object a line: `timestamp` (UTC, ISO 8601), `level`, `event`, `logger`, the
    fields of the event and the ids of the request or the socket (`log_context`); `console` is for
    reading. Fields that hold secrets are masked, in nested objects too; a secret in the text of an
    event is not: put it in a field, or leave it out.
    """
    shared: list[Processor] = [
        add_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask_secrets,
        *([] if worker is None else [_name(worker)]),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),  # what is below costs nothing
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_render(format),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What no line shows need not be found out for each: the way that its documentation names.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    _quiet_libraries()


def _quiet_libraries() -> None:
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns of each handshake with a subprotocol, in the client's own words.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)


def _render(format: Literal["json", "console"]) -> list[Processor]:
    if format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # The default shows local variables with a traceback, and in them secrets.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def _name(worker: int) -> Processor:
    def add(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["worker"] = worker
        return event

    return add


def _mask_secrets(logger: Any, method: str, event: EventDict) -> EventDict:
    return _masked(event)


def _masked(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _masked_value(name, value) for name, value in fields.items()}


def _masked_value(name: str, value: Any) -> Any:
    if str(name).lower() in SECRET_FIELDS:
        return MASK
    if type(value) in _PLAIN:
        return value
    match value:
        case Mapping():
            return _masked(value)
        case list() | tuple():
            return [_masked_value("", item) for item in value]
    return value
