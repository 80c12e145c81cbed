"""The schema: made, made again, found out of date, and kept equal to the models."""

import asyncio
import os
import time
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, insert, text

from server.books import migrate as migrations
from server.books.engine import open_books
from server.books.errors import BooksUnavailable, WrongSchema
from server.books.migrate import READABLE, migrate
from server.books.revisions import check_schema, known_revisions
from server.books.schema import ledger, metadata
from server.dev.ports import free_port
from tests.books.history import REVISIONS, rows_of, upgrade_to

ZONES = ("Pacific/Kiritimati", "America/St_Johns")


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine in this zone of the world."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


async def test_the_migrations_make_the_schema_of_the_models(empty_url: str) -> None:
    await migrate(empty_url)

    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    async with open_books(empty_url) as books, books.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_changes_nothing(empty_url: str) -> None:
    assert await migrate(empty_url) == await migrate(empty_url) == REVISIONS[-1]
    await check_schema(empty_url)


async def test_two_may_migrate_at_once(empty_url: str) -> None:
    assert len(set(await asyncio.gather(*(migrate(empty_url) for _ in range(4))))) == 1
    await check_schema(empty_url)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_upgrade_from_an_earlier_schema_keeps_what_is_in_it(
    empty_url: str, revision: str
) -> None:
    await upgrade_to(empty_url, revision)
    before = rows_of(revision)
    async with open_books(empty_url) as books, books.begin() as connection:
        for statement in before.values():
            await connection.execute(text(statement))
    await migrate(empty_url)
    async with open_books(empty_url) as books, books.connect() as connection:
        for table in before:
            counted = await connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            assert counted.scalar_one() == 1, table
        for counts in ("standings", "daily_standings"):
            query = text(f"SELECT alien_id, buy_in_amount, games, won, coins_won FROM {counts}")  # noqa: S608
            assert (await connection.execute(query)).all() == [("ann", 3500, 1, 1, 7000)]


async def test_what_was_owed_before_there_was_a_queue_is_queued_whatever_its_transaction(
    empty_url: str,
) -> None:
    await upgrade_to(empty_url, "0002")
    row = {
        "stream_seq": 0,
        "table_name": "3500",
        "kind": "refund_owed",
        "amount": 5,
        "alien_id": "ann",
        "event": "tx",
        "test": False,
        "hash": "h",
    }
    written = [{"amount": "5", "event": "a\0b"}, {"amount": "5e0"}, {"event": '{"amount":"5"'}]
    rows = [
        row | {"entry_id": f"3500:{number}-0", "stream_ms": number, "fields": fields}
        for number, fields in enumerate(written, 1)
    ]
    async with open_books(empty_url) as books, books.begin() as connection:
        await connection.execute(insert(ledger), rows)
    await migrate(empty_url)
    async with open_books(empty_url) as books, books.connect() as connection:
        queued = await connection.execute(text("SELECT entry_id FROM payouts"))
        assert queued.scalars().all() == ["3500:1-0"]


async def test_a_schema_that_is_not_there_yet_is_reported_in_one_line(empty_url: str) -> None:
    with pytest.raises(WrongSchema, match=r"^[^\n]*fair-bingo migrate[^\n]*$"):
        await check_schema(empty_url)


async def test_a_schema_of_a_newer_version_is_left_alone(books_url: str) -> None:
    with psycopg.connect(books_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for attempt in (check_schema, migrate):
        with pytest.raises(WrongSchema, match="newer version"):
            await attempt(books_url)


async def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE TABLE unmatched (in_the_way int)")
    with pytest.raises(Exception, match="already exists"):
        await migrate(empty_url)
    async with open_books(empty_url) as books, books.connect() as connection:
        assert await connection.run_sync(migrations.current_revision) is None
        found = await connection.execute(text("SELECT to_regclass('games')"))
        assert found.scalar_one() is None


async def test_whoever_may_not_use_the_books_is_told_in_one_line(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA public TO guest")
    _, _, place = empty_url.rpartition("@")
    try:
        for attempt in (check_schema, migrate):
            with pytest.raises(WrongSchema, match=r"^[^\n]*permission denied[^\n]*$"):
                await attempt(f"postgresql://guest@{place}")
    finally:
        with psycopg.connect(empty_url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY guest")
            connection.execute("DROP ROLE guest")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_does_not_have_all_letters_is_refused_in_one_line(
    empty_url: str, encoding: str
) -> None:
    server, _, name = empty_url.rpartition("/")
    name = f"{name}_{encoding.lower()}"
    with psycopg.connect(empty_url, autocommit=True) as connection:
        made = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'"
        connection.execute(made.encode())
        try:
            with pytest.raises(WrongSchema, match=f"^[^\n]*UTF8, not {encoding}$"):
                await migrate(f"{server}/{name}")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


async def test_a_url_with_an_option_that_nobody_knows_is_reported_in_one_line(
    empty_url: str,
) -> None:
    for attempt in (check_schema, migrate):
        with pytest.raises(WrongSchema, match=r'^[^\n]*"colour"[^\n]*$'):
            await attempt(f"{empty_url}?colour=blue")


async def test_the_schema_is_where_the_options_of_the_url_say(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bingo")
    url = f"{empty_url}?options=-csearch_path%3Dbingo"
    await migrate(url)
    await check_schema(url)
    async with open_books(url) as books, books.connect() as connection:
        found = await connection.execute(
            text("SELECT 'bingo.games'::regclass, current_setting('timezone')")
        )
        assert found.one()[1] == "UTC"


async def test_times_are_utc_wherever_the_machine_and_the_server_are(
    books_url: str, zone: str
) -> None:
    database = books_url.rpartition("/")[2]
    with psycopg.connect(books_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database} SET timezone = '{zone}'".encode())
    async with open_books(books_url) as books, books.connect() as connection:
        timestamp = (await connection.execute(text("SELECT to_timestamp(0)::text"))).scalar_one()
        assert timestamp == "1970-01-01 00:00:00+00"
        found = (await connection.execute(text("SELECT to_timestamp(0)"))).scalar_one()
        assert found.timestamp() == 0
        assert found.utcoffset().total_seconds() == 0


async def test_books_that_are_away_are_unavailable() -> None:
    url = f"postgresql://somebody:hush-hush@127.0.0.1:{free_port()}/nothing"
    with pytest.raises(BooksUnavailable) as raised:
        await check_schema(url)
    assert "hush-hush" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_zones_are_different_from_utc(zone: str) -> None:
    assert time.localtime(0).tm_gmtoff != 0, os.environ["TZ"]


def test_the_revisions_are_those_of_the_migrations() -> None:
    scripts = ScriptDirectory.from_config(migrations.alembic_config())
    assert {script.revision for script in scripts.walk_revisions()} == known_revisions()
    assert scripts.get_current_head() == max(known_revisions())


async def test_a_reader_may_select_and_write_nothing(books_url: str) -> None:
    role = f'reader "{books_url.rpartition("_")[2]}"'  # roles are the whole server's
    refused = ["TABLE records", "CREATE TABLE mine (a int)"]
    for _ in range(2):
        await migrate(books_url, role)
    with psycopg.connect(books_url, autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            for table in READABLE:
                assert connection.execute(f"TABLE {table}".encode()).fetchall() == []
                refused += [f"TRUNCATE {table}", f"INSERT INTO {table} DEFAULT VALUES"]
            for statement in refused:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())
        finally:
            connection.execute(b"RESET ROLE")
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
