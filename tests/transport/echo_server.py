"""A server whose namespaces only echo: the transport without a game."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic import ConfigDict

from protocol.errors import ErrorCode, Refused
from protocol.from_client import RefreshToken
from protocol.views import Request
from server.outside.identity import Identity
from server.store.errors import StoreUnavailable
from server.transport.commands import Answer, Command
from server.transport.concurrency import PLAYERS_AT_ONCE, ConcurrencyLimiter
from server.transport.counts import Counts
from server.transport.gateway import Gateway
from server.transport.http.runner import Runner
from server.transport.limits import RateByKey, SocketLimits
from server.transport.member import Member, NamespaceHandler, Welcome
from server.transport.rooms import Rooms
from server.transport.token_check import TokenCheck
from server.transport.tokens import Tokens
from tests.support.wait import TIMEOUT_SECONDS


def now_ms() -> float:
    """Unix time in milliseconds."""
    return time.time() * 1000


async def verify(token: object) -> Identity | Refused:
    """Tokens here are `name` or `name:seconds to live`; whoever has no name is nobody."""
    if not isinstance(token, str) or not token:
        return Refused(ErrorCode.UNAUTHORIZED)
    if token == "verifier-bug":
        raise RuntimeError("the verifier broke")
    name, _, seconds = token.partition(":")
    return Identity(name, now_ms() + float(seconds or 3600) * 1000)


class Anything(Request):
    """A payload of which nothing is expected."""

    model_config = ConfigDict(extra="allow")


class EchoHandler:
    """The handler of every namespace that begins with `/echo`: most members are sent what they
    send."""

    def __init__(self, tokens: Tokens) -> None:
        self.inside: list[Member] = []
        self.welcomed = 0
        self.gone = 0
        self.carried_out: list[str] = []
        self.open = asyncio.Event()  # what `slow` and the admission to `/echo-slow` wait for
        self.admitting = asyncio.Event()
        self.commands: Mapping[str, Command[Member, Any, Answer]] = {
            "echo": Command(Anything, self._echo),
            "slow": Command(Anything, self._slow),
            "urgent": Command(Anything, self._urgent, urgent=True),
            "bug": Command(Anything, self._bug),
            "refresh_token": Command(RefreshToken, tokens.refresh, urgent=True),
        }

    async def admit(self, member: Member, auth: Mapping[str, Any]) -> Welcome | Refused:
        if member.namespace == "/echo-full":
            return Refused(ErrorCode.LOBBY_FULL, {"seats": 10})
        if member.namespace == "/echo-away":
            raise StoreUnavailable("no answer")
        if member.namespace == "/echo-bug":
            raise RuntimeError("the handler broke")
        if member.namespace == "/echo-slow":
            self.admitting.set()
            await self.open.wait()
        self.welcomed += 1
        self.inside.append(member)
        return lambda: member.send_event("welcome", {"auth": dict(auth)})

    async def _echo(self, _member: Member, request: Anything) -> Answer:
        self.carried_out.append("echo")
        return {"ok": True, "payload": request.model_extra}

    async def _slow(self, _member: Member, _request: Anything) -> Answer:
        self.carried_out.append("slow")
        await self.open.wait()
        return {"ok": True}

    async def _urgent(self, _member: Member, _request: Anything) -> Answer:
        self.carried_out.append("urgent")
        return {"ok": True}

    async def _bug(self, _member: Member, _request: Anything) -> Answer:
        self.carried_out.append("bug")
        raise RuntimeError("the secret is 42")

    def left(self, member: Member) -> None:
        self.inside.remove(member)
        self.gone += 1
        if member.namespace == "/echo-bad-end":
            raise RuntimeError("the handler broke")


class Server:
    """A gateway that listens on a free port of the loopback interface."""

    def __init__(self, limits: SocketLimits) -> None:
        tokens = Tokens(
            TokenCheck(self._verify, RateByKey(limits.connects_by_address, time.monotonic)), now_ms
        )
        self.echo = EchoHandler(tokens)
        self.rooms = Rooms()
        self.counts = Counts()
        self.limiter = ConcurrencyLimiter(PLAYERS_AT_ONCE, patience_seconds=TIMEOUT_SECONDS)
        self.gateway = Gateway(
            handlers=self._handler,
            tokens=tokens,
            limits=limits,
            rooms=self.rooms,
            counts=self.counts,
            limiter=self.limiter,
        )
        app = web.Application()
        self.gateway.attach(app)
        self._runner = Runner(app, shutdown_seconds=1)
        self.port = 0

    def _handler(self, namespace: str) -> NamespaceHandler | None:
        return self.echo if namespace.startswith("/echo") else None

    async def _verify(self, token: object) -> Identity | Refused:
        """For the token `later` the issuer has to be asked, who answers when `open` is set."""
        if token == "later":
            await self.echo.open.wait()
        return await verify(token)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Send everyone away, and see that nothing of them is left anywhere."""
        self.echo.open.set()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self.gateway.drain(0)
        await self._runner.cleanup()
        assert self.rooms.rooms == {}
        assert self.gateway.eio.sockets == {}
        assert self.echo.inside == []
        assert self.echo.gone == self.echo.welcomed
