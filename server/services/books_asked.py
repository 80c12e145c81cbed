"""Asking the books on behalf of somebody who cannot tell them from the store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from server.books.engine import Books, BooksConnection
from server.books.errors import BooksUnavailable
from server.store.errors import BooksAway

Connecting = AbstractAsyncContextManager[BooksConnection]


@asynccontextmanager
async def asked(
    books: Books, connect: Callable[[Books], Connecting] = Books.connect
) -> AsyncIterator[BooksConnection]:
    """A connection to ask the books on. Raises StoreUnavailable: to whoever asks it is the same
    which of both does not answer."""
    try:
        async with connect(books) as connection:
            yield connection
    except BooksUnavailable as error:
        raise BooksAway(f"the books do not answer: {error}") from error
