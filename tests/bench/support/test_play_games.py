import os
import subprocess
import sys

from server.dev.store import EmbeddedStore
from tests.support.guides import ROOT


def test_games_are_played_when_asked_for(own_store: EmbeddedStore) -> None:
    variables = {"PATH": os.environ["PATH"], "REDIS_URL": own_store.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.bench.support.play_games"]
    done = subprocess.run(
        command, input="1\n2\n", env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout == "played\nplayed\n"
