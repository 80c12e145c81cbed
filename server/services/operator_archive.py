"""The operators' log, copied into the books."""

from server.books.engine import Books
from server.books.operator_actions import last_action, read_actions, write_actions
from server.rules.operator_chain import LogEntry, breaks
from server.services.archiving import OutOfStep
from server.services.books_asked import asked
from server.store.operator_log import OperatorLog


class OperatorArchive:
    """Copies what is new; nothing leaves the store."""

    def __init__(self, operator_log: OperatorLog, books: Books) -> None:
        self._log = operator_log
        self._books = books

    async def move(self) -> int:
        """Copy what is new, if its chain holds; how many entries.

        Raises OutOfStep if it does not, BooksUnavailable and StoreUnavailable.
        """
        async with self._books.connect() as connection:
            copied = await last_action(connection)
        head = await self._log.head()
        if head.number <= copied:
            return 0
        entries = (await self._log.entries())[: head.number]  # the rest comes later, if it holds
        problems = breaks(entries, head)
        if problems:
            raise OutOfStep(f"the operators' log: {problems[0]}")
        new = entries[copied:]
        async with self._books.begin() as connection:
            await write_actions(connection, new)
        return len(new)


class ActionsInBooks:
    """See `KeptEntries`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def entries(self) -> list[LogEntry]:
        """See `KeptEntries`."""
        async with asked(self._books) as connection:
            return await read_actions(connection)
