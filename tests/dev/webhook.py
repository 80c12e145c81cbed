"""The other end of a webhook: a server that keeps what it gets and answers as it is set to."""

from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class WebhookReceiver:
    """Answers with each of `statuses` in turn, then with 200."""

    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        """The application to serve; every path is the webhook."""
        app = web.Application()
        app.router.add_post("/{path:.*}", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers["X-Webhook-Signature"])
        status = self.statuses.pop(0) if self.statuses else 200
        return web.json_response({"success": status == 200}, status=status)
