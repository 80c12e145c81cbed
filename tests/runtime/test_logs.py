"""What a process writes when it logs. Each test asks a process of its own."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

from tests.support.wait import TIMEOUT_SECONDS

SETUP = """
import logging, structlog
from server.runtime import logs
from server.runtime.log_context import bind_ids, unbind_ids
logs.configure({level!r}, {format!r})
log = structlog.get_logger("ours")
"""


def written(code: str, level: str = "info", format: str = "json") -> str:
    program = SETUP.format(level=level, format=format) + code
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )
    assert run.stdout == ""
    return run.stderr


def lines(code: str, level: str = "info") -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(code, level).splitlines()]


def test_an_event_is_one_json_line_with_its_fields() -> None:
    (line,) = lines("log.info('lobby_opened', lobby_id='lobby_1', text='a\\nb')")
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.tzinfo == UTC
    assert line == {
        "level": "info",
        "event": "lobby_opened",
        "logger": "ours",
        "lobby_id": "lobby_1",
        "text": "a\nb",
    }


def test_the_standard_logging_goes_the_same_way() -> None:
    (line,) = lines("logging.getLogger('asyncio').error('%s failed', 'task')")
    assert (line["event"], line["level"], line["logger"]) == ("task failed", "error", "asyncio")


def test_secrets_are_masked_in_nested_objects_too() -> None:
    (line,) = lines(
        "log.info('x', token='s3', headers={'Authorization': 's3', 'a': {'grid': [1]}})"
    )
    assert line["token"] == "***"
    assert line["headers"] == {"Authorization": "***", "a": {"grid": "***"}}


def test_secrets_are_masked_in_lists_too() -> None:
    (line,) = lines("log.info('x', asked=[{'client_seed': 's3', 'buy_in_amount': 3500}])")
    assert line["asked"] == [{"client_seed": "***", "buy_in_amount": 3500}]


def test_every_line_carries_the_ids_that_are_bound() -> None:
    first, second = lines("""
bind_ids(sid="s1")
bound = bind_ids(command="join")
log.info("x")
unbind_ids(bound)
logging.getLogger("asyncio").error("y")
""")
    assert (first["sid"], first["command"], second["sid"]) == ("s1", "join", "s1")
    assert "command" not in second


def test_what_is_below_the_level_is_not_written() -> None:
    assert lines("log.info('x'); logging.getLogger('y').info('x')", level="warning") == []


def test_access_logs_and_packets_are_not_written() -> None:
    noisy = ("aiohttp.access", "httpx", "socketio.server", "engineio.server")
    code = f"for name in {noisy}: logging.getLogger(name).info('noise')"
    assert lines(code, level="debug") == []


def test_the_socket_servers_write_each_line_once() -> None:
    code = """
import socketio
socketio.AsyncServer(async_mode="aiohttp", logger=True, engineio_logger=True)
logging.getLogger("socketio.server").error("once")
"""
    assert [line["event"] for line in lines(code)] == ["once"]


ERROR = """
token = "s3cret"
try: 1 / 0
except ZeroDivisionError: log.exception("broken")
"""


def test_an_exception_comes_with_its_traceback() -> None:
    (line,) = lines(ERROR)
    assert "ZeroDivisionError" in line["exception"]


def test_the_console_shows_events_and_no_local_variables() -> None:
    text = written(ERROR, format="console")
    assert "broken" in text
    assert "ZeroDivisionError" in text
    assert "s3cret" not in text
