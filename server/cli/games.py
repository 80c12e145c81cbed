"""The commands about games that were played: `replay` and `export`."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from protocol import ids
from protocol.errors import Refused
from server.cli.backends import opened
from server.cli.console import beacon_keys_of_environment, fail, run, settings_of_environment
from server.cli.documents import read_document
from server.cli.progress import progress
from server.rules.beacon import PublicKeys
from server.runtime.settings import Settings
from server.services.game_files import (
    GameFile,
    beacon_differences,
    read_game_file,
)
from server.services.records import Records
from server.services.transcript import transcript_line
from server.store.replay import BrokenLog, Step, is_kept, replay


def replay_game(
    places: Annotated[
        list[str],
        typer.Argument(help="Lobbies in the store, or exported games.", metavar="PLACE"),
    ],
) -> None:
    """Show games step by step. Exit code 1 at the first record that is not as it was written."""
    keys = beacon_keys_of_environment()
    with progress("games replayed", len(places), shown=_is_long(places)) as replayed:
        for place in places:
            try:
                if ids.is_lobby_id(place):
                    run(_replay_stored(settings_of_environment(), place, keys))
                else:
                    _print_transcript(_game_file(place).replay(), keys)
            except BrokenLog as error:
                fail(f"{_named(place, places)}the log does not hold at {error}")
            print(f"{_named(place, places)}The log holds.")
            replayed(1)


def export(
    lobby_ids: Annotated[list[str], typer.Argument(help="Lobbies that are over.", metavar="LOBBY")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="The file, or the folder for several; LOBBY.json if not given."),
    ] = None,
) -> None:
    """Write finished games to files. Each has the log and the proof, for `verify` and `replay`."""
    with progress("games exported", len(lobby_ids), shown=_is_long(lobby_ids)) as exported:
        for lobby_id in lobby_ids:
            is_one = len(lobby_ids) == 1 and not (out is not None and out.is_dir())
            path = out if out is not None and is_one else (out or Path()) / f"{lobby_id}.json"
            _export_one(lobby_id, path)
            exported(1)


def _export_one(lobby_id: str, path: Path) -> None:
    if not ids.is_lobby_id(lobby_id):
        fail(f"{lobby_id!r} is not the id of a lobby")
    try:
        game = run(_export(settings_of_environment(), lobby_id))
    except BrokenLog as error:
        fail(f"the log does not hold at {error}")
    if game is None:
        fail(f"{lobby_id} is not over, or nobody has it any more")
    try:
        path.write_text(game.model_dump_json() + "\n")
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")
    print(f"{path} has the {len(game.log)} records of {lobby_id}.")


def _is_long(places: Sequence[str]) -> bool:
    """Whether progress is worth showing beside what is printed."""
    return len(places) > 1 and not sys.stdout.isatty()


def _named(place: str, places: Sequence[str]) -> str:
    return f"{place}: " if len(places) > 1 else ""


def _print_transcript(steps: Iterable[Step], keys: PublicKeys) -> Step | None:
    """Show the steps of a game, and return the last."""
    step = None
    for step in steps:
        print(transcript_line(step))
        for difference in beacon_differences(step, keys):
            fail(difference)
    return step


async def _replay_stored(settings: Settings, lobby_id: str, keys: PublicKeys) -> None:
    async with opened(settings) as backends:
        kept, log = await backends.stores.lobbies.texts_with_log(lobby_id)
        past = backends.past
        moved = await past.game(lobby_id) if past is not None and not log else None
    if moved is not None:
        _print_transcript(moved.replay(), keys)
        return
    if not log:
        fail(f"nobody has {lobby_id} (any more)")
    step = _print_transcript(replay(log, kept[0].get("hash", "")), keys)
    if step is None or not is_kept(step, kept):
        fail("the store's hashes are not what the log leads to")


async def _export(settings: Settings, lobby_id: str) -> GameFile | None:
    async with opened(settings) as backends:
        file = await Records(backends.stores.lobbies, backends.past).of(lobby_id)
    return None if isinstance(file, Refused) else file


def _game_file(place: str) -> GameFile:
    try:
        return read_game_file(read_document(place))
    except ValueError as error:
        fail(f"cannot read {place}: {error}")
