"""Making the schema what this version needs, and seeing whether it is."""

from importlib.resources import files
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from server.books.engine import open_books
from server.books.errors import WrongSchema

MIGRATING_SECONDS: Final = 86_400.0
"""An index of a large table takes its time."""
_LOCK: Final = 0x42494E474F  # any number that nobody else locks: "BINGO"


async def migrate(url: str) -> str:
    """Bring the schema of the books at `url` to this version's, in one transaction. Returns its
    revision. Where two do it at once, the second waits and finds it done.

    Raises BooksUnavailable, and WrongSchema if a newer version made it.
    """
    async with open_books(url) as books, books.begin(MIGRATING_SECONDS) as connection:
        return await connection.run_sync(_upgrade)


async def check_schema(url: str) -> None:
    """Raises WrongSchema if the schema of the books at `url` is not the one that this version
    knows, and BooksUnavailable."""
    async with open_books(url) as books, books.connect() as connection:
        found = await connection.run_sync(current_revision)
    if found != _newest():
        raise WrongSchema(_mismatch(found))


def _upgrade(connection: Connection) -> str:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = current_revision(connection)
    if found is not None and found not in known_revisions():
        raise WrongSchema(_mismatch(found))
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return _newest()


def current_revision(connection: Connection) -> str | None:
    """The revision of the schema that is there; None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def _mismatch(found: str | None) -> str:
    if found is not None and found not in known_revisions():
        return f"the books are of a newer version: their schema is {found}, unknown here"
    return f"the books have the schema {found or 'of nothing yet'}: run `fair-bingo migrate`"


def alembic_config() -> Config:
    """How Alembic finds the migrations of this version."""
    config = Config()
    config.set_main_option("script_location", str(files("server.books") / "migrations"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


def known_revisions() -> set[str]:
    """The revisions that this version can make."""
    return {script.revision for script in _scripts().walk_revisions()}


def _newest() -> str:
    head = _scripts().get_current_head()
    assert head is not None  # noqa: S101 - there is at least one migration
    return head
