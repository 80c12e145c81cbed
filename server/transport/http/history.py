"""What players read of their past: their games, their statement, and who is best."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
from aiohttp import web

from protocol import history
from protocol.errors import ErrorCode, Refused
from server.services.records import Records
from server.store.errors import StoreUnavailable
from server.transport.commands import parse_request
from server.transport.headers import elements, weight
from server.transport.http.requests import AddressLimit, RequestAuthenticator, read_payload
from server.transport.problems import problem

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.services.history import History

ANSWER_SECONDS: Final = 4.5
"""Books that hang are away: the request is refused within 5 s."""
_CSV_PAGE: Final = 5_000
"""Each page adds the whole window up anew: a file of many small ones would not be there in time."""
_PERIODS: Final = ("day", "week", "month", "all")
_BEGIN_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS: Final = ("entry_id", "at", "kind", "amount", "lobby_id", "invoice_id", "reference")

Answer = web.Response | Refused


class HistoryRoutes:
    """The routes of the past. Without books (None) they are not offered. `by_address` is for those
    that want no token."""

    def __init__(
        self,
        authenticator: RequestAuthenticator,
        by_address: AddressLimit,
        past: "History | None",
        records: Records,
    ) -> None:
        self._records = records
        self._authenticator = authenticator
        self._by_address = by_address
        self._past = past
        self._answering: set[asyncio.Task[Answer]] = set()

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        app.router.add_get("/api/me/games", self._mine(self._games))
        app.router.add_get("/api/me/statement", self._mine(self._statement))
        app.router.add_put("/api/me/profile", self._mine(self._profile))
        app.router.add_get("/api/leaderboard", self._everyones(self._leaderboard))
        app.router.add_get("/api/game/{lobby_id:[^/]+}/record", self._everyones(self._record))

    def _mine(
        self, handler: Callable[["History", web.Request, str], Coroutine[Any, Any, Answer]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(past: "History", request: web.Request) -> Answer:
            alien_id = await self._authenticator.alien_id(request)
            if isinstance(alien_id, Refused):
                return alien_id
            return await handler(past, request, alien_id)

        return self._answering_in_time(handle)

    def _everyones(
        self, handler: Callable[["History", web.Request], Coroutine[Any, Any, Answer]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(past: "History", request: web.Request) -> Answer:
            if not self._by_address.allows(request):
                return Refused(ErrorCode.RATE_LIMITED)
            return await handler(past, request)

        return self._answering_in_time(handle)

    def _answering_in_time(
        self, handler: Callable[["History", web.Request], Coroutine[Any, Any, Answer]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if self._past is None:
                return problem(Refused(ErrorCode.NOT_OFFERED))
            answer = await self._in_time(handler(self._past, request))
            return problem(answer) if isinstance(answer, Refused) else answer

        return handle

    async def _in_time(self, answering: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer, or StoreUnavailable when it takes too long. What is not done then is given up
        but not waited for: a connection to the books is let go only when their server lets go."""
        task = asyncio.create_task(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        try:
            await asyncio.wait({task}, timeout=ANSWER_SECONDS)
        finally:
            is_done = task.done()
            task.cancel()
        if not is_done:
            raise StoreUnavailable("the books do not answer in time")
        return task.result()

    async def _games(self, past: "History", request: web.Request, alien_id: str) -> Answer:
        limit = _limit(_said(request, "limit"))
        if limit is None:
            return Refused(ErrorCode.INVALID_MESSAGE)
        page = await past.games(alien_id, limit, _said(request, "before"))
        return page if isinstance(page, Refused) else _json(page)

    async def _statement(self, past: "History", request: web.Request, alien_id: str) -> Answer:
        try:
            start, end = _time(_said(request, "from")), _time(_said(request, "to"))
        except ValueError:
            return Refused(ErrorCode.INVALID_MESSAGE)
        before = _said(request, "before")
        most = _CSV_PAGE if _wants_csv(request) else history.STATEMENT_LIMIT
        found = await past.statement(alien_id, start, end, before, most)
        if isinstance(found, Refused):
            return found
        if not _wants_csv(request):
            return _json(found)
        pages = [found]
        while not isinstance(found, Refused) and found.next is not None:
            found = await past.statement(alien_id, start, end, found.next, most)
            pages += [] if isinstance(found, Refused) else [found]
        return _csv(entry for page in pages for entry in page.entries)

    async def _profile(self, past: "History", request: web.Request, alien_id: str) -> Answer:
        payload = await read_payload(request)
        if isinstance(payload, Refused):
            return payload
        body = parse_request(history.ProfileRequest, payload, alien_id)
        if isinstance(body, Refused):
            return body
        return _json(await past.set_listed(alien_id, body.listed))

    async def _record(self, _past: "History", request: web.Request) -> Answer:
        file = await self._records.of(request.match_info["lobby_id"])
        return file if isinstance(file, Refused) else _json(file)

    async def _leaderboard(self, past: "History", request: web.Request) -> Answer:
        period: Any = request.query.get("period", "all")
        tier = _said(request, "buy_in_amount")
        if period not in _PERIODS or not (tier is None or _is_number(tier, digits=12)):
            return Refused(ErrorCode.INVALID_MESSAGE)
        return _json(await past.leaderboard(period, None if tier is None else int(tier)))


def _said(request: web.Request, name: str) -> str | None:
    """What a query says under a name; nothing after the name is the same as no name."""
    return request.query.get(name) or None


def _json(answer: Any) -> web.Response:
    return web.Response(body=orjson.dumps(answer.model_dump()), content_type="application/json")


def _csv(entries: Iterable[history.StatementEntry]) -> web.Response:
    """The entries of all pages: whoever opens a file wants the whole of it."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    for entry in entries:
        row = entry.model_dump() | {
            "amount": f"{entry.amount:f}",
            "reference": _no_formula(entry.reference),
        }
        writer.writerow(["" if row[name] is None else row[name] for name in _COLUMNS])
    return web.Response(text=written.getvalue(), content_type="text/csv")


def _no_formula(text: str | None) -> str | None:
    """What others wrote, so that a program for tables shows it and does not carry it out."""
    return f"'{text}" if text is not None and text[:1] in _BEGIN_FORMULAS else text


def _wants_csv(request: web.Request) -> bool:
    accepted = elements(request, "Accept")
    csv_weight = weight(accepted, "text/csv")
    return csv_weight > 0 and csv_weight >= weight(accepted, "application/json")


def _limit(written: str | None) -> int | None:
    if written is None:
        return history.GAMES_LIMIT
    limit = int(written) if _is_number(written, digits=3) else 0
    return limit if 1 <= limit <= history.MAX_LIMIT else None


def _is_number(written: str, digits: int) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= digits


def _time(written: str | None) -> datetime | None:
    """An ISO-8601 time; without a zone it is UTC. In a query a `+` stands for a space, so that of a
    zone may have become one. Raises ValueError."""
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = datetime.fromisoformat("+".join(written.rsplit(" ", 1)))
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
