"""What the command line says of itself, and of what it was not given."""

from importlib.metadata import version

import pytest
from redis.asyncio import Redis

from server.dev.ports import free_port
from tests.support.process import ChildProcess, StartProcess
from tests.system.conftest import FAIR_BINGO, Run


async def ended(process: ChildProcess) -> tuple[int, str]:
    """Its exit code, and what it printed."""
    return await process.wait(), process.output


async def test_the_version_is_that_of_the_package(start_process: StartProcess) -> None:
    found = await ended(start_process(FAIR_BINGO, "--version"))
    assert found == (0, version("fair-bingo") + "\n")


@pytest.mark.parametrize("group", [(), ("admin",), ("ledger",), ("payouts",)])
async def test_help_lists_every_command_in_a_whole_sentence(
    start_process: StartProcess, group: tuple[str, ...]
) -> None:
    code, output = await ended(start_process(FAIR_BINGO, *group, "--help", COLUMNS="80"))
    listed = output.partition("Commands:\n")[2].splitlines()
    assert (code, len(listed) > 1) == (0, True), output
    assert all(line.endswith(".") and not line.endswith("...") for line in listed), output


@pytest.mark.parametrize("group", ["admin", "ledger"])
async def test_who_names_no_command_is_shown_which_there_are(
    start_process: StartProcess, group: str
) -> None:
    code, output = await ended(start_process(FAIR_BINGO, group))
    assert (code, "Commands:" in output) == (2, True), output


async def test_a_server_without_settings_says_which_it_needs(start_process: StartProcess) -> None:
    needed = ("REDIS_URL", "ALIEN_PROVIDER_ADDRESS", "WEBHOOK_PUBLIC_KEY")
    found = await ended(start_process(FAIR_BINGO, "serve", **dict.fromkeys(needed, "")))
    assert found == (2, "; ".join(f"{name}: is missing" for name in needed) + "\n")


@pytest.mark.parametrize("command", ["audit", "ledger list", "admin log"])
async def test_a_store_that_cannot_be_reached_is_named_with_the_reason(
    fair_bingo: Run, variables: dict[str, str], command: str
) -> None:
    port = free_port()
    variables["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    code, output = await fair_bingo(*command.split())
    assert (code, output.count("\n")) == (1, 1), output
    assert output.startswith("the store does not answer: "), output
    assert f"127.0.0.1:{port}" in output, output


@pytest.mark.parametrize(
    "command", ["audit", "ledger list", "payouts list", "admin suspects", "draws"]
)
async def test_books_that_cannot_be_reached_are_not_taken_for_the_store(
    fair_bingo: Run, variables: dict[str, str], command: str
) -> None:
    port = free_port()
    variables["DATABASE_URL"] = f"postgresql://127.0.0.1:{port}/books"
    if command in ("audit", "ledger list"):  # which ask about each table that there is
        async with Redis.from_url(variables["REDIS_URL"]) as redis:
            await redis.sadd("tables", "3500")
    code, output = await fair_bingo(*command.split())
    assert (code, output.count("\n")) == (1, 1), output
    assert output.startswith("the books do not answer: "), output
    assert f"port {port}" in output, output
