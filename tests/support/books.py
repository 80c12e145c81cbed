"""Fixtures: one PostgreSQL for the session, and in it a new database for each test."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from server.books.migrate import migrate
from server.dev.books import EmbeddedBooks

TEMPLATE = "migrated"
# A crash of the machine during the tests is not among what they test.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

numbers = count()


@pytest.fixture(scope="session")
def shared_books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBooks]:
    """The server of the whole session: not to be stopped by a test."""
    with EmbeddedBooks(tmp_path_factory.mktemp("books"), options=QUICK) as books:
        yield books


@pytest.fixture(scope="session")
def template(shared_books: EmbeddedBooks) -> str:
    """The name of a database with the latest schema and nothing in it, to be copied."""
    _administer(shared_books, f"CREATE DATABASE {TEMPLATE}")
    asyncio.run(migrate(shared_books.url_of(TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def empty_url(shared_books: EmbeddedBooks) -> Iterator[str]:
    """The URL of a database without any schema."""
    yield from _database(shared_books, "template0")


@pytest.fixture
def books_url(shared_books: EmbeddedBooks, template: str) -> Iterator[str]:
    """The URL of books with the latest schema and nothing in them."""
    yield from _database(shared_books, template)


def _database(server: EmbeddedBooks, template: str) -> Iterator[str]:
    name = f"test_{next(numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url_of(name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: EmbeddedBooks, statement: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def own_books(tmp_path: Path) -> Iterator[EmbeddedBooks]:
    """Empty, started books that the test may stop, kill and start again."""
    with EmbeddedBooks(tmp_path / "books", options=QUICK) as books:
        yield books
