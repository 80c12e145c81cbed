"""A program that keeps one PostgreSQL for a whole test run, whose processes all find it by a file.

It ends when its standard input does, which is when whoever started it ends, however that ends.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import psycopg

from server.books.migrate import migrate
from server.dev.books import EmbeddedBooks

TEMPLATE: Final = "migrated"
"""A database with the latest schema and nothing in it, to be copied."""
# A crash of the machine during the tests is not among what they test.
QUICK: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_FOR_ALL: Final = (*QUICK, "max_connections=400")
_PORT: Final = "port"


def port_file(directory: Path) -> Path:
    """The file with the server's port, which is there once the template is."""
    return directory / _PORT


def keep(directory: Path) -> None:
    """Run the server until standard input ends."""
    with EmbeddedBooks(directory / "server", options=_FOR_ALL) as books:
        with psycopg.connect(books.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
        asyncio.run(migrate(books.url_of(TEMPLATE)))
        unfinished = directory / "port.unfinished"
        unfinished.write_text(str(books.port))
        unfinished.rename(port_file(directory))
        sys.stdin.read()


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
