"""Which schema the books have, and which this version needs: known by the names of the migrations,
so that a server starts without the tools that make one."""

from importlib.resources import files
from typing import Final

from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.engine import first_line, open_books
from server.books.errors import WrongSchema
from server.books.patience import PATIENCE_OF_WORK_SECONDS

_DIGITS: Final = 4


def known_revisions() -> set[str]:
    """The revisions that this version can make: that of `r0001_books.py` is `0001`."""
    names = (file.name for file in (files("server.books") / "migrations/versions").iterdir())
    return {name[1 : 1 + _DIGITS] for name in names if name[:1] == "r" and name.endswith(".py")}


def newest_revision() -> str:
    """The one that it needs."""
    return max(known_revisions())


async def check_schema(url: str, patience_seconds: int = PATIENCE_OF_WORK_SECONDS) -> None:
    """Raises WrongSchema if the schema of the books at `url` is not the one that this version
    knows, or cannot be looked at, and BooksUnavailable."""
    try:
        async with open_books(url, patience_seconds) as books, books.connect() as connection:
            found = await _revision(connection)
    except exc.ProgrammingError as error:  # no permission, or a wrong option in the URL
        raise WrongSchema(f"the books cannot be used: {first_line(error)}") from None
    if found != newest_revision():
        raise WrongSchema(mismatch(found))


def mismatch(found: str | None) -> str:
    """What to say of a schema that is not the one that is needed; None: there is none."""
    if found is not None and found not in known_revisions():
        return f"the books are of a newer version: their schema is {found}, unknown here"
    schema = "no schema yet" if found is None else f"the schema {found}"
    return f"the books have {schema}: run `fair-bingo migrate`"


async def _revision(connection: AsyncConnection) -> str | None:
    there = await connection.execute(text("SELECT to_regclass('alembic_version')::text"))
    if there.scalar_one() is None:
        return None
    found = await connection.execute(text("SELECT version_num FROM alembic_version"))
    revision: str | None = found.scalar_one_or_none()
    return revision
