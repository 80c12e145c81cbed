"""Players over HTTP who repeat a request until some server answers it."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp

from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import TIMEOUT_SECONDS

ANSWER_SECONDS = 4
PAUSE_SECONDS = 0.05
RETRY = (429, 503)

Answer = tuple[int, Any]


class Players:
    """Any number of players of the servers at one URL. A request that was not answered, or refused
    with a code that may be retried, is sent again as it was. `refusals` are the reasons, except
    for time-outs; `answers` counts the requests that were answered."""

    def __init__(
        self, url: str, issuer: DevIssuer, provider: DevProvider, http: aiohttp.ClientSession
    ) -> None:
        self.url = url
        self.issuer = issuer
        self._provider = provider
        self.refusals: list[str] = []
        self.answers = 0
        self._http = http
        self.paid: list[str] = []
        """The invoices whose payment was acknowledged."""

    async def join(self, name: str, buy_in_amount: int) -> Any:
        """Seat a player: the lobby and the invoice."""
        joined = await self.ask(name, "/api/game/join", {"buy_in_amount": buy_in_amount})
        assert joined[0] == 200, joined
        return joined[1]

    async def pay(self, invoice: Mapping[str, Any]) -> None:
        """The payment provider reports that an invoice is paid."""
        body = json.dumps(self._provider.payload(invoice)).encode()
        headers = {SIGNATURE_HEADER: self._provider.sign(body)}
        answer = await self._insist("/api/webhooks/payment", body, headers)
        assert answer[0] == 200, answer
        self.paid.append(str(invoice["invoice_id"]))

    async def seat_two(self, names: Iterator[str], buy_in_amount: int) -> tuple[str, list[str]]:
        """Seat two who pay: the id of their lobby, and who they are. A server that hung may have
        taken up a request late and seated somebody whose game is over: who comes to sit with them
        does not pay, and the next two try."""
        first = next(names)
        seat = await self.join(first, buy_in_amount)
        while True:
            second = next(names)
            beside = await self.join(second, buy_in_amount)
            if beside["lobby_id"] == seat["lobby_id"]:
                break
            first, seat = second, beside
        await self.pay(seat["invoice"])
        await self.pay(beside["invoice"])
        return str(seat["lobby_id"]), [first, second]

    async def ask(self, name: str, path: str, payload: Mapping[str, Any]) -> Answer:
        """What a player is answered: the status and the body."""
        headers = {"Authorization": f"Bearer {self.issuer.token(name)}"}
        return await self._insist(path, json.dumps(payload).encode(), headers)

    async def _insist(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while True:
                answer = await self._try(path, body, headers)
                if answer is not None and answer[0] not in RETRY:
                    self.answers += 1
                    return answer
                await asyncio.sleep(PAUSE_SECONDS)

    async def _try(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer | None:
        try:
            async with self._http.post(self.url + path, data=body, headers=headers) as answer:
                status, answered = answer.status, await answer.json(content_type=None)
        except TimeoutError:
            return None
        except aiohttp.ClientError as error:
            self.refusals.append(repr(error))
            return None
        if status in RETRY:
            self.refusals.append(answered["code"])
        return status, answered


def impatient_http() -> aiohttp.ClientSession:
    """A session with a new connection for each request, as through a load balancer, and a time-out
    of `ANSWER_SECONDS`."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
    )
