"""What it means that a port cannot be had."""

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
            why = strerror(error.errno)  # asyncio has the address in it once more
        super().__init__(f"cannot listen on HOST {host}, {setting} {port}: {why}")
        self.no_address = isinstance(error, gaierror)


@contextmanager
def listening_on(host: str, setting: str, port: int) -> Iterator[None]:
    """Have an OSError meanwhile name the setting that it is about: raises CannotListen."""
    try:
        yield
    except OSError as error:
        raise CannotListen(host, setting, port, error) from error
