"""Fixtures: one PostgreSQL for the whole test run, and in it a new database for each test."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from server.dev.books import USER, EmbeddedBooks
from tests.support.books_keeper import QUICK, TEMPLATE, port_file
from tests.support.wait import TIMEOUT_SECONDS

START_SECONDS: Final = 300
_DIRECTORY: Final = "books_directory"
_ended_by_unconfigure = pytest.StashKey[Any]()

numbers = count()


@contextmanager
def _keeper() -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """Start the program that keeps the server. Gives the directory of its port file, which appears
    when the server is ready, and the process."""
    with tempfile.TemporaryDirectory(prefix="books-") as directory:
        command = [sys.executable, "-m", "tests.support.books_keeper", directory]
        with subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0) as keeper:
            yield Path(directory), keeper


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the process that controls the workers: they share one server, which starts while they
    collect tests."""
    stash = node.config.stash
    if _ended_by_unconfigure not in stash:
        keeping = _keeper()
        stash[_ended_by_unconfigure] = (keeping, keeping.__enter__()[0])
    node.workerinput[_DIRECTORY] = str(stash[_ended_by_unconfigure][1])


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started for the workers."""
    if _ended_by_unconfigure in config.stash:
        config.stash[_ended_by_unconfigure][0].__exit__(None, None, None)


class BooksServer:
    """The server of the whole run: not to be stopped by a test."""

    def __init__(self, port: int, worker: str) -> None:
        self._port = port
        self._worker = worker

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """The URL of a new copy of a database, for as long as the context lasts."""
        name = f"test_{self._worker}_{next(numbers)}"
        # By files it takes half as long as by a log that nobody will need.
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield self._url_of(name)
        self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _url_of(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{database}"

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            give_up_s = time.monotonic() + TIMEOUT_SECONDS
            while True:
                try:
                    connection.execute(statement.encode())
                except psycopg.errors.ObjectInUse:  # others take their time to leave
                    if time.monotonic() > give_up_s:
                        raise
                else:
                    return


@pytest.fixture(scope="session")
def books_server(request: pytest.FixtureRequest) -> Iterator[BooksServer]:
    """The server of the whole run; where there are no workers, it is started here."""
    given = getattr(request.config, "workerinput", {})
    if _DIRECTORY in given:
        yield BooksServer(_port(Path(given[_DIRECTORY])), given["workerid"])
        return
    with _keeper() as (directory, keeper):
        yield BooksServer(_port(directory, keeper), "alone")


def _port(directory: Path, keeper: subprocess.Popen[bytes] | None = None) -> int:
    deadline = time.monotonic() + START_SECONDS
    while not port_file(directory).exists():
        assert keeper is None or keeper.poll() is None, "the shared books have ended: see above"
        assert directory.exists(), "the shared books are gone"
        assert time.monotonic() < deadline, "the shared books do not start"
        time.sleep(0.05)
    return int(port_file(directory).read_text())


@pytest.fixture
def empty_url(books_server: BooksServer) -> Iterator[str]:
    """The URL of a database without any schema."""
    with books_server.database("template0") as url:
        yield url


@pytest.fixture
def books_url(books_server: BooksServer) -> Iterator[str]:
    """The URL of books with the latest schema and nothing in them."""
    with books_server.database(TEMPLATE) as url:
        yield url


@pytest.fixture
def own_books(tmp_path: Path) -> Iterator[EmbeddedBooks]:
    """Empty, started books that the test may stop, kill and start again."""
    with EmbeddedBooks(tmp_path / "books", options=QUICK) as books:
        yield books
