"""The embedded store keeps what it acknowledged, and ends with whoever started it."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from server.dev.store import EmbeddedStore, EmbeddedStoreError
from tests.support.process import StartProcess
from tests.support.wait import until

START_A_STORE_AND_WAIT = """
import signal, sys
from pathlib import Path
from server.dev.store import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]))
store.start()
print("started", store.url, flush=True)
signal.pause()
"""


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def _answers(url: str) -> bool:
    with _client(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def test_the_store_syncs_every_write_and_listens_on_loopback_only(own_store: EmbeddedStore) -> None:
    with _client(own_store.url) as client:
        config = client.config_get("append*", "save", "bind")
    assert config["appendonly"] == "yes"
    assert config["appendfsync"] == "always"
    assert config["save"] == ""
    assert config["bind"] == "127.0.0.1"


@pytest.mark.parametrize("end", [EmbeddedStore.stop, EmbeddedStore.kill])
def test_data_survives_the_end_of_the_store(
    own_store: EmbeddedStore, end: Callable[[EmbeddedStore], None]
) -> None:
    with _client(own_store.url) as client:
        client.set("paid", "3500")
    end(own_store)
    own_store.start()
    with _client(own_store.url) as client:
        assert client.get("paid") == "3500"


def test_a_killed_store_comes_back_at_the_same_url(own_store: EmbeddedStore) -> None:
    url = own_store.url
    own_store.kill()
    assert not _answers(url)
    own_store.start()
    assert own_store.url == url
    assert _answers(url)


def test_a_hanging_store_can_be_stopped(own_store: EmbeddedStore) -> None:
    os.kill(own_store.pid, signal.SIGSTOP)
    own_store.stop()
    own_store.start()
    assert _answers(own_store.url)


def test_a_second_store_on_the_same_directory_is_refused_in_one_line(
    own_store: EmbeddedStore,
) -> None:
    with pytest.raises(EmbeddedStoreError, match=r"^\S+ is in use by another process$"):
        EmbeddedStore(own_store.data_dir).start()


def test_a_refused_second_store_leaves_the_first_alone(own_store: EmbeddedStore) -> None:
    with pytest.raises(EmbeddedStoreError):
        EmbeddedStore(own_store.data_dir).start()
    assert _answers(own_store.url)


def test_a_store_that_cannot_start_is_reported_with_its_last_log_lines(
    own_store: EmbeddedStore, tmp_path: Path
) -> None:
    with pytest.raises(EmbeddedStoreError, match="Address already in use"):
        EmbeddedStore(tmp_path / "other", _port(own_store.url)).start()


def test_a_directory_is_free_again_after_a_failed_start(
    own_store: EmbeddedStore, tmp_path: Path
) -> None:
    with pytest.raises(EmbeddedStoreError):
        EmbeddedStore(tmp_path / "other", _port(own_store.url)).start()
    with EmbeddedStore(tmp_path / "other") as other:
        assert _answers(other.url)


async def test_the_store_ends_with_its_parent_even_when_that_is_killed(
    start_process: StartProcess, tmp_path: Path
) -> None:
    parent = start_process(sys.executable, "-c", START_A_STORE_AND_WAIT, str(tmp_path / "store"))
    url = (await parent.wait_for_line(r"^started (\S+)"))[1]
    assert _answers(url)
    parent.kill()
    await until(lambda: not _answers(url))


def test_ctrl_c_in_the_terminal_does_not_reach_the_store(own_store: EmbeddedStore) -> None:
    assert os.getpgid(own_store.pid) != os.getpgrp()


def test_each_test_finds_the_shared_store_empty(
    shared_store: EmbeddedStore, request: pytest.FixtureRequest
) -> None:
    with _client(shared_store.url) as client:
        client.set("left", "over")
        request.getfixturevalue("store_url")
        assert client.dbsize() == 0
