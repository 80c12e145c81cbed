"""Making the schema what this version needs, and letting others read it."""

from importlib.resources import files
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, exc, text
from sqlalchemy.dialects import postgresql

from server.books.engine import first_line, open_books
from server.books.errors import WrongSchema
from server.books.revisions import known_revisions, mismatch, newest_revision

MIGRATING_SECONDS: Final = 86_400.0
"""An index of a large table takes its time."""
READABLE: Final = ("games", "seats", "ledger", "payouts", "operator_actions")
"""What analysts may read."""
_LOCK: Final = 0x42494E474F  # any number that nobody else locks: "BINGO"


async def migrate(url: str, reader: str | None = None) -> str:
    """Bring the schema of the books at `url` to this version's, in one transaction, and let the
    role `reader` read what is for analysts. Returns its revision. Where two do it at once, the
    second waits and finds it done.

    Raises BooksUnavailable, and WrongSchema if a newer version made it, or this or the role is
    refused.
    """
    doing = ""
    try:
        async with open_books(url) as books, books.begin(MIGRATING_SECONDS) as connection:
            revision = await connection.run_sync(_upgrade)
            if reader is not None:
                doing = f"the role {reader}: "
                await connection.run_sync(_let_read, reader)
    except exc.ProgrammingError as error:
        raise WrongSchema(f"nothing was changed: {doing}{first_line(error)}") from None
    return revision


def _upgrade(connection: Connection) -> str:
    encoding = str(connection.execute(text("SHOW server_encoding")).scalar_one())
    if encoding != "UTF8":  # any other refuses the characters that it lacks
        raise WrongSchema(f"the books need a database whose encoding is UTF8, not {encoding}")
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = current_revision(connection)
    if found is not None and found not in known_revisions():
        raise WrongSchema(mismatch(found))
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return newest_revision()


def _let_read(connection: Connection, role: str) -> None:
    """Let a role read what is for analysts. It is created if it is not there, and may not log in
    then."""
    quote = postgresql.dialect().identifier_preparer.quote_identifier  # type: ignore[no-untyped-call]
    found = connection.execute(text("SELECT FROM pg_roles WHERE rolname = :role"), {"role": role})
    if found.first() is None:
        connection.exec_driver_sql(f"CREATE ROLE {quote(role)} NOLOGIN")
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {quote(schema)} TO {quote(role)}")
    tables = ", ".join(READABLE)
    connection.exec_driver_sql(f"GRANT SELECT ON {tables} TO {quote(role)}")


def current_revision(connection: Connection) -> str | None:
    """The revision of the schema that is there; None before the first."""
    return MigrationContext.configure(connection).get_current_revision()


def alembic_config() -> Config:
    """How Alembic finds the migrations of this version."""
    config = Config()
    config.set_main_option("script_location", str(files("server.books") / "migrations"))
    return config
