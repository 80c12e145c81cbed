"""Settings have passwords in them: no command that fails shows one."""

import sys

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.process import StartProcess
from tests.support.wait import until
from tests.system.conftest import READY, Run, StartServe
from tests.system.game_server import game_server
from tests.system.stored_ledger import LEDGER, StoredLedger

SECRET = "correct-horse-battery"
FAILING = """
from structlog import get_logger
from server.cli.main import whole
from server.cli.console import run, settings_of_environment

main = whole()

@main.command()
def failing() -> None:
    settings = settings_of_environment()
    text = settings.redis_url
    try:
        raise ValueError("foreseen")
    except ValueError:
        get_logger("of a command").exception("logged")
    async def work() -> None:
        parts = [settings.redis_url, settings.ops_token, text]
        raise LookupError("not foreseen")
    run(work())

main(["failing"])
"""


@pytest.mark.parametrize("format_of_logs", ["json", "console"])
async def test_a_traceback_shows_no_value(
    start_process: StartProcess, variables: dict[str, str], format_of_logs: str
) -> None:
    secrets = {"REDIS_URL": f"redis://:{SECRET}@127.0.0.1:1/0", "OPS_TOKEN": SECRET}
    changed = variables | secrets | {"LOG_FORMAT": format_of_logs}
    process = start_process(sys.executable, "-c", FAILING, **changed)
    assert await process.wait() == 1
    assert "LookupError: not foreseen" in process.output
    assert "ValueError: foreseen" in process.output
    assert SECRET not in process.output


@pytest.mark.parametrize("command", [("audit",), ("ledger", "list")])
async def test_what_the_store_refuses_ends_a_command_in_one_line(
    stored: StoredLedger, fair_bingo: Run, command: tuple[str, ...]
) -> None:
    await stored.redis.set(LEDGER, "no stream")
    code, output = await fair_bingo(*command)
    assert (code, output.count("\n")) == (1, 1), output
    assert output.startswith("the store refuses: ")


async def test_an_issuer_that_cannot_be_asked_is_logged_without_its_password(
    start_serve: StartServe,
    variables: dict[str, str],
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    url = variables["ALIEN_JWKS_URL"].replace("http://", f"http://user:{SECRET}@") + "/nowhere"
    process = start_serve(ALIEN_JWKS_URL=url)
    ready = await process.wait_for_line(READY)
    async with game_server(ready[1], issuer, provider) as server:

        async def is_logged() -> bool:
            """Ask once more, as the one before may have been given up before it was answered."""
            answer = await server.get("/api/game/lobby_3500_000000000000/status", "alice")
            assert answer.status == 503
            return '"error": "HTTP 404"' in process.output

        await until(is_logged)
    assert SECRET not in process.output
