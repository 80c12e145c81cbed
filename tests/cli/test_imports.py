"""What a process imports: what it needs, and nothing heavy beside that."""

import json
import subprocess
import sys

import pytest

CODE = """
import json, sys
from server.cli.main import app_of
app_of(sys.argv[1:])
print(json.dumps([name for name, module in sys.modules.items() if module is not None]))
"""
BOOKS = {"alembic", "psycopg", "sqlalchemy"}
OTHERS = {"httpx", "pygments", "requests", "rich", "valkey"}
DEVELOPMENT = {"server.dev", "server.load"}
PLUGINS = {"pydantic.plugin._loader"}
SERVER = {"aiohttp", "engineio", "jwt", "server.assembly", "socketio"}


def imported(*commands: str) -> set[str]:
    """The modules that are there when these commands could begin."""
    command = (sys.executable, "-c", CODE, *commands)
    done = subprocess.run(command, capture_output=True, check=True, timeout=600)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("command", "heavy"),
    [
        ("serve", BOOKS | OTHERS | DEVELOPMENT | PLUGINS),
        ("archive", BOOKS | OTHERS | DEVELOPMENT | {"aiohttp", "engineio", "socketio"}),
        ("ledger", BOOKS | OTHERS | DEVELOPMENT | {"aiohttp", "engineio", "socketio"}),
        # What it asks with trusts whom this machine does, which clients of servers do not.
        ("load", BOOKS | {"server.outside", "server.dev"}),
        ("verify", BOOKS | OTHERS | DEVELOPMENT | SERVER),
    ],
)
def test_a_command_imports_nothing_heavy_that_it_has_no_use_for(
    command: str, heavy: set[str]
) -> None:
    assert imported(command) & heavy == set()


def test_a_server_reads_no_certificates_that_it_does_not_use() -> None:
    code = (
        "from server.cli.main import app_of; app_of(['serve'])\n"
        "from aiohttp import connector\n"
        "assert connector._SSL_CONTEXT_VERIFIED.cert_store_stats()['x509'] == 0"
    )
    subprocess.run((sys.executable, "-c", code), check=True, timeout=600)


def test_what_was_kept_from_a_library_can_be_imported_by_others() -> None:
    code = "import server.cli, sys; assert sys.modules.keys().isdisjoint({'rich'}); import rich"
    subprocess.run((sys.executable, "-c", code), check=True, timeout=600)
