"""`fair-bingo admin suspects`: who may be one person, or play into each other's hands."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.backends import opened
from server.cli.console import run, settings_of_environment, url_of_books
from server.rules.coins import coins_text
from server.runtime.settings import Settings

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from collections.abc import Sequence

    from server.services.suspects import Pair


def suspects(
    *,
    days: Annotated[
        float, typer.Option(min=0, max=36_500, help="Games of the last so many days.")
    ] = 7,
    least: Annotated[int, typer.Option(min=1, help="Shared games, at least.")] = 5,
    most: Annotated[int, typer.Option(min=1, help="So many pairs, at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List pairs of players who share games more often than by chance. With the buy-ins that went
    from one to the other; those of one address first."""
    settings = settings_of_environment()
    url_of_books(settings)
    since = datetime.now(UTC) - timedelta(days=days)
    for pair in run(_find(settings, since, least, most)):
        print(json.dumps(_fields(pair)) if as_json else _line(pair))


async def _find(settings: Settings, since: datetime, least: int, most: int) -> "Sequence[Pair]":
    async with opened(settings) as backends:
        return await backends.named_books.suspects.find(since, least, most)


def _fields(pair: "Pair") -> dict[str, object]:
    return {
        "players": [pair.one, pair.other],
        "shared": pair.shared,
        "of": pair.of_games,
        "by_chance": round(pair.by_chance, 2),
        "coins": [coins_text(pair.one_to_other), coins_text(pair.other_to_one)],
        "addresses": pair.addresses,
    }


def _line(pair: "Pair") -> str:
    there, back = coins_text(pair.one_to_other), coins_text(pair.other_to_one)
    words = [
        f"{pair.one} {pair.other}: together in {pair.shared} of {pair.of_games} games",
        f"{pair.by_chance:.1f} by chance",
        f"{there} coins of the first to the second, {back} back",
    ]
    if pair.addresses:
        words.append(f"from {pair.addresses} address{'es' if pair.addresses > 1 else ''} in common")
    return "; ".join(words)
