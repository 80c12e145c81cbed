"""The command line: `fair-bingo`."""

import typer

from server.cli.admin import admin
from server.cli.books import archive, draws, migrate
from server.cli.games import export, replay_game, verify
from server.cli.ledger import audit, ledger
from server.cli.load import load
from server.cli.payouts import payouts
from server.cli.serving import demo, dev, serve

main = typer.Typer(
    name="fair-bingo",
    no_args_is_help=True,
    add_completion=False,
    help=__doc__,
    rich_markup_mode=None,
    # They may be told to show the values of variables, and among those are secrets.
    pretty_exceptions_enable=False,
)

main.command()(archive)
main.command()(audit)
main.command()(draws)
main.command()(load)
main.command()(migrate)
main.command()(verify)
main.command("replay")(replay_game)
main.command()(export)
main.command()(serve)
main.command()(dev)
main.command()(demo)
main.add_typer(ledger)
main.add_typer(payouts)
main.add_typer(admin)
