"""Fixtures of all layers: the real store, an issuer, a payment provider, processes."""

import gc
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import structlog
from hypothesis import HealthCheck, settings

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.runtime.log_context import add_ids
from tests.support.fork_server import ForkServer
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import TIMEOUT_SECONDS

HERE = Path(__file__).parent

pytest_plugins = [
    "tests.support.books",
    "tests.support.cluster",
    "tests.support.cpu",
    "tests.support.nodes",
]

# Stores sync every write, and what a disk would lose with its machine is not among what is tested:
# so directories of tests are in memory, where there is room and programs may be started from it.
_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes directories of its own there
_ROOM_BYTES = 4 << 30
if (
    _MEMORY.is_dir()
    and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# A busy machine is no fault of what is tested. The rules have a profile of their own.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# By default a traceback shows all local variables, for which the loop is held up by a second.
structlog.configure(
    processors=[
        add_ids,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


# What starts whole processes and browsers is long, and so it comes first: else some of it would be
# begun when all other workers have ended. By name, those that wait are among those that work.
LONG = {"assembly", "browser", "cli", "load", "system"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, for workers that take them in this order."""

    def place(item: pytest.Item) -> tuple[bool, str]:
        is_long = item.path.relative_to(HERE).parts[0] in LONG
        return not is_long, item.path.name if is_long else ""

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process, modules and tests. To look
    through it takes half a second of CPU, and so many seconds where that is shared with others: no
    server in this process answers anybody meanwhile."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not run and how to get it, one line for each reason."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, tests in reasons.items():
        terminalreporter.write_line(f"{tests} tests were not run: {reason}")


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """The store of the whole session: not to be stopped or configured by a test."""
    with EmbeddedStore(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
def store_url(shared_store: EmbeddedStore) -> str:
    """The URL of a store with nothing in it."""
    with redis.Redis.from_url(shared_store.url, socket_timeout=TIMEOUT_SECONDS) as client:
        client.flushall()
    return shared_store.url


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """An empty, started store that the test may configure, stop, kill and start again."""
    with EmbeddedStore(tmp_path / "store") as store:
        yield store


@pytest.fixture(scope="session")
def issuer() -> DevIssuer:
    """An issuer with new keys; `issuer.issuer` and `issuer.audience` are its tokens' `iss` and
    `aud`."""
    return DevIssuer("https://issuer.test", "00000001000000000000000000000000")


@pytest.fixture(scope="session")
def provider() -> DevProvider:
    """A payment provider with a new key."""
    return DevProvider()


@pytest.fixture(scope="session", autouse=True)
def fork_server() -> Iterator[None]:
    """Programs of ours are started by one that has read them."""
    ChildProcess.fork_server = ForkServer()
    yield
    ChildProcess.fork_server.stop()
    ChildProcess.fork_server = None


@pytest.fixture
def start_process(tmp_path: Path) -> Iterator[StartProcess]:
    """`start_process(*command, **environment)` starts a `ChildProcess`; the test's end kills it."""
    with ExitStack() as started:

        def start(*command: str, **environment: str) -> ChildProcess:
            number = len(list(tmp_path.glob("output-*")))
            process = ChildProcess(command, environment, tmp_path / f"output-{number}")
            started.callback(process.kill)
            return process

        yield start
