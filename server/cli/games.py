"""The commands about games that were played: `verify`, `replay` and `export`."""

from pathlib import Path
from typing import Annotated, Final

import httpx
import typer

from protocol import ids, strict_json
from server.assembly.stores import Stores
from server.cli.console import fail, run, settings_of_environment
from server.cli.retelling import retold
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.services.game_files import GameFile, game_file, read_game_file, verify_document
from server.store.replay import BrokenLog, is_kept, replay

_READ_SECONDS: Final = 10


def verify(
    proof: Annotated[str, typer.Argument(help="A proof or an exported game: a file, or a URL.")],
) -> None:
    """Check the proof that a draw was fair."""
    differences = verify_document(_document(proof))
    if differences:
        fail("\n".join(differences))
    print("The proof holds.")


def replay_game(
    place: Annotated[str, typer.Argument(help="A lobby in the store, or an exported game.")],
) -> None:
    """Show a game step by step. Exit code 1 at the first record that is not as it was written."""
    try:
        if ids.is_lobby_id(place):
            run(_replay_stored(settings_of_environment(), place))
        else:
            for step in _game_file(place).replay():
                print(retold(step))
    except BrokenLog as error:
        fail(f"the log does not hold at {error}")
    print("The log holds.")


def export(
    lobby_id: Annotated[str, typer.Argument(help="A lobby that is over.")],
    *,
    out: Annotated[Path | None, typer.Option(help="The file; LOBBY.json unless told.")] = None,
) -> None:
    """Write a finished game, log and proof, to a file that `verify` and `replay` read."""
    if not ids.is_lobby_id(lobby_id):
        fail(f"{lobby_id!r} is not the id of a lobby")
    path = out or Path(f"{lobby_id}.json")
    try:
        game = run(_export(settings_of_environment(), lobby_id))
    except BrokenLog as error:
        fail(f"the log does not hold at {error}")
    if game is None:
        fail(f"{lobby_id} is not over, or the store does not have it any more")
    try:
        path.write_text(game.model_dump_json() + "\n")
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")
    print(f"{path} has the {len(game.log)} records of {lobby_id}.")


async def _replay_stored(settings: Settings, lobby_id: str) -> None:
    stores = Stores(settings, StoreClock(), Metrics())
    try:
        kept, log = await stores.lobbies.texts_with_log(lobby_id)
    finally:
        await stores.close()
    if not log:
        fail(f"the store does not have {lobby_id} (any more)")
    for step in replay(log, kept[0].get("hash", "")):
        print(retold(step))
    if not is_kept(step, kept):
        fail("the store's hashes are not what the log leads to")


async def _export(settings: Settings, lobby_id: str) -> GameFile | None:
    stores = Stores(settings, StoreClock(), Metrics())
    try:
        return await game_file(stores.lobbies, lobby_id)
    finally:
        await stores.close()


def _game_file(place: str) -> GameFile:
    try:
        return read_game_file(_document(place))
    except ValueError as error:
        fail(f"cannot read {place}: {error}")


def _document(place: str) -> object:
    try:
        return strict_json.loads(_read(place))
    except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
        fail(f"cannot read {place}: {error}")


def _read(place: str) -> bytes:
    if place.startswith(("http://", "https://")):
        return httpx.get(place, timeout=_READ_SECONDS).raise_for_status().content
    return Path(place).read_bytes()
