"""The command line: `fair-bingo`. A command imports what it runs, and nothing of the others."""

import gc
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated, Final

import typer

_MODULES: Final = {
    "serve": "serving",
    "migrate": "books",
    "archive": "books",
    "audit": "ledger",
    "verify": "verifying",
    "replay": "games",
    "export": "games",
    "draws": "books",
    "load": "load",
    "dev": "serving",
    "demo": "serving",
    "ledger": "ledger",
    "payouts": "payouts",
    "admin": "admin",
}
"""Where each command is, in the order of the help; those that have commands of their own come last
there."""
_FUNCTIONS: Final = {"replay": "replay_game"}
"""Those that are not named as their command."""


def main() -> None:
    """Run the command that the arguments name."""
    program_of(sys.argv[1:2])()


def program_of(wanted: Sequence[str]) -> typer.Typer:
    """The program with the command that is wanted, or with all if that is none."""
    gc.disable()  # imports leave no garbage, and to look for it takes long
    program = app_of(wanted if {*wanted} & _MODULES.keys() else _MODULES)
    gc.freeze()
    gc.enable()
    return program


def app_of(names: Iterable[str]) -> typer.Typer:
    """The program with those commands."""
    app = typer.Typer(
        name="fair-bingo",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        # They may be configured to show the values of variables, and among those are secrets.
        pretty_exceptions_enable=False,
    )
    app.callback()(_fair_bingo)
    for name in names:
        module = import_module(f"server.cli.{_MODULES[name]}")
        command = getattr(module, _FUNCTIONS.get(name, name))
        if isinstance(command, typer.Typer):
            app.add_typer(command)
        else:
            app.command(name)(command)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("fair-bingo"))
        raise typer.Exit


def _fair_bingo(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Serve bingo for money, and look after its games and its ledger. All settings are variables of
    the environment."""


def whole() -> typer.Typer:
    """The program with all of its commands."""
    return app_of(_MODULES)
