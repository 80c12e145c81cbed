"""Why a port cannot be listened on."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import strerror
from socket import gaierror
from typing import Final

PORTS: Final = ("PORT", "METRICS_PORT")
"""The settings that have them, the public one first."""


class CannotListen(OSError):
    """HOST and this port cannot be listened on; says so as a line for the operator. `no_address`:
    HOST is no address of this machine's, or of any."""

    def __init__(self, host: str, setting: str, port: int, error: OSError) -> None:
        why = error.strerror
        if not isinstance(error, gaierror) and error.errno is not None:
            why = strerror(error.errno)  # asyncio's text repeats the address
        super().__init__(f"cannot listen on HOST {host}, {setting} {port}: {why}")
        self.no_address = isinstance(error, gaierror)


@contextmanager
def listening_on(host: str, setting: str, port: int) -> Iterator[None]:
    """Raises CannotListen, which names the setting, in place of an OSError of the block."""
    try:
        yield
    except OSError as error:
        raise CannotListen(host, setting, port, error) from error
