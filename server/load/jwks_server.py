"""The token key's JWKS over HTTP, for a server to fetch as its `ALIEN_JWKS_URL`."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def serving_jwks(jwks: Mapping[str, Any], port: int) -> Iterator[str]:
    """Serve a JWKS on `port` of 127.0.0.1 (0: a free one), at every path, for as long as the
    context lasts, which gives the URL. Raises OSError if the port cannot be had."""
    document = json.dumps(jwks).encode()

    class JwksHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: object) -> None:
            """Requests are not logged."""

    with ThreadingHTTPServer(("127.0.0.1", port), JwksHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
