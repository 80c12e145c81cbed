"""What all commands of the command line share."""

import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import typer
import uvloop

from protocol import strict_json
from server.rules.beacon import PublicKeys, known_keys
from server.runtime import logs
from server.runtime.exit_codes import BAD_SETTINGS, FAILED
from server.runtime.settings import Settings, SettingsError, load_beacon_key, load_settings
from server.store.errors import COMMAND_ERRORS, BooksAway, StoreUnavailable

_DEVELOPMENT_KEY: Final = Path(".fair-bingo/keys/beacon.json")

T = TypeVar("T")


def notice(message: str) -> None:
    """Print a line for the operator on stderr."""
    print(message, file=sys.stderr, flush=True)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command with a message on stderr."""
    notice(message)
    raise typer.Exit(code)


def settings_of_environment(*, worker: int | None = None, **options: str | None) -> Settings:
    """The settings in the environment, where `options` does not replace them; ends the command if
    they are no settings. From here on it logs as they require: to stderr, and no secret."""
    given = {name.upper(): value for name, value in options.items() if value is not None}
    try:
        settings = load_settings({**os.environ, **given})
    except SettingsError as error:
        fail(str(error), BAD_SETTINGS)
    logs.configure(settings.log_level, settings.log_format, worker=worker)
    return settings


def url_of_books(settings: Settings) -> str:
    """Where the books are; ends the command if the settings do not name them."""
    if settings.database_url is None:
        fail("DATABASE_URL: is missing", BAD_SETTINGS)
    return settings.database_url


def beacon_keys_of_environment() -> PublicKeys:
    """The public keys of beacons that are known here; ends the command if what the environment
    has is no key. No other settings are needed."""
    try:
        return {**_keys_of_development(), **known_keys(*load_beacon_key(os.environ))}
    except SettingsError as error:
        fail(str(error), BAD_SETTINGS)


def _keys_of_development() -> PublicKeys:
    """The key of the beacon of the development server whose state is in this directory."""
    try:
        found = strict_json.loads(_DEVELOPMENT_KEY.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(key) for name, key in found.items()} if isinstance(found, dict) else {}


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; ends the command if the store or the books do not answer, or the store
    refuses it."""
    try:
        return uvloop.run(work)
    except BooksAway as error:
        fail(str(error))
    except StoreUnavailable as error:
        fail(f"the store does not answer: {error}")
    except COMMAND_ERRORS as error:
        fail(f"the store refuses: {error}")
