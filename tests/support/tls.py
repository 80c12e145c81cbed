"""TLS in front of plain TCP servers: a certificate authority of a test's own, and a proxy that
terminates TLS."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.dev.ports import free_port

_HANDSHAKE: Final = 0x16
"""The first byte that a client of TLS sends."""
_DAY: Final = timedelta(days=1)


class Authority:
    """A certificate authority, whose own certificate is in the PEM file at `path`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        unsigned = self._unsigned(self._name, self._key.public_key())
        own = unsigned.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        self.path = directory / "authority.pem"
        self.path.write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def context(self, host: str) -> ssl.SSLContext:
        """The TLS context of a server with that address or name."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        unsigned = self._unsigned(name, key.public_key())
        known_by = x509.SubjectAlternativeName([_named(host)])
        certificate = unsigned.add_extension(known_by, False).sign(self._key, hashes.SHA256())
        path = self._directory / f"{host}.pem"
        path.write_bytes(
            _pem(certificate)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _unsigned(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return x509.CertificateBuilder(
            self._name, subject, key, x509.random_serial_number(), now - _DAY, now + _DAY
        )


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class TlsFront:
    """Terminates TLS on `port` for the server on port `target`, both of 127.0.0.1. Connections
    without TLS, which stores make among themselves, are passed on as they are. `secured` counts
    those with it."""

    def __init__(self, target: int, context: ssl.SSLContext) -> None:
        self.port = free_port()
        self.secured = 0
        self.target = target
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.socket()

    async def __aenter__(self) -> Self:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen()
        self._listener.setblocking(False)
        self._start(self._accept())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._listener.close()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        while True:
            accepted, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            self._start(self._pass(accepted))

    async def _pass(self, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        # Closed here too: it may end before there is a transport.
        with accepted, suppress(OSError):
            is_tls = await _first_byte(accepted) == _HANDSHAKE
            self.secured += is_tls
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=self._context if is_tls else None
            )
            near = asyncio.StreamWriter(transport, protocol, reader, loop)
            try:
                far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
                await asyncio.gather(_copy(reader, far), _copy(far_reader, near))
            finally:
                near.transport.abort()


async def _first_byte(accepted: socket.socket) -> int | None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(accepted, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(accepted)
    peeked = accepted.recv(1, socket.MSG_PEEK)
    return peeked[0] if peeked else None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
