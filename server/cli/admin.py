"""The operators' commands: `fair-bingo admin`. They need the store, not the servers."""

import json
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from protocol import operators
from protocol.errors import ERRORS, ErrorCode, Refused
from protocol.operator_views import LogEntryView, OperatorLogView
from protocol.operators import ActionRequest
from server.assembly.tiers import tiers
from server.assembly.use_cases import UseCases
from server.cli.backends import opened
from server.cli.console import fail, run, settings_of_environment
from server.cli.operator_name import operator_name
from server.cli.suspects import suspects
from server.runtime.exit_codes import BAD_SETTINGS
from server.runtime.settings import Settings
from server.services.operator_history import OperatorHistory

admin = typer.Typer(
    name="admin",
    help="What operators do: each with a name and a reason.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Who does it.")]
Reason = Annotated[str, typer.Option(help="Why, for the log.")]
Until = Annotated[str | None, typer.Option(help="Until when: Unix ms, or ISO-8601.")]
Lobby = Annotated[str, typer.Argument(metavar="LOBBY", help="The lobby's id.")]
Player = Annotated[str, typer.Argument(metavar="ALIEN_ID", help="The player.")]
Tier = Annotated[int, typer.Argument(metavar="TIER", help="The buy-in, in coins.")]


@admin.command()
def void(lobby_id: Lobby, *, by: By, reason: Reason) -> None:
    """End a lobby in whatever phase it is. Everything that was paid in is owed back."""
    _act(by, "void", f"{lobby_id} is voided.", lobby_id=lobby_id, reason=reason)


@admin.command()
def ban(alien_id: Player, *, by: By, reason: Reason, until: Until = None) -> None:
    """Let a player take no seat and have no invoice. A paid seat plays on."""
    _act(by, "ban", f"{alien_id} is banned.", alien_id=alien_id, reason=reason, until=until)


@admin.command()
def unban(alien_id: Player, *, by: By, reason: Reason) -> None:
    """Let a player take seats again."""
    _act(by, "unban", f"{alien_id} is not banned any more.", alien_id=alien_id, reason=reason)


@admin.command()
def close(tier: Tier, *, by: By, reason: Reason) -> None:
    """Sell no new seats in a tier."""
    _act(by, "close", f"The tier {tier} is closed.", buy_in_amount=tier, reason=reason)


@admin.command("open")
def open_tier(tier: Tier, *, by: By, reason: Reason) -> None:
    """Sell seats in a tier again."""
    _act(by, "open", f"The tier {tier} is open.", buy_in_amount=tier, reason=reason)


@admin.command()
def announce(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text of the announcement.")],
    *,
    by: By,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    until: Until = None,
    level: Annotated[str, typer.Option(help="info or warning.")] = "info",
) -> None:
    """Send an announcement to everybody. With --until it stands until then."""
    _act(
        by,
        "announce",
        "The announcement is sent.",
        text=text,
        reason=reason,
        until=until,
        level=level,
    )


@admin.command()
def kick(alien_id: Player, lobby_id: Lobby, *, by: By, reason: Reason) -> None:
    """Take a player's seat in a lobby that forms. A payment is owed back."""
    done = f"{alien_id} has no seat in {lobby_id} any more."
    _act(by, "kick", done, alien_id=alien_id, lobby_id=lobby_id, reason=reason)


@admin.command("log")
def show_log(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False
) -> None:
    """Show what operators did. Exit code 1 if somebody has altered it."""
    found = run(_log(settings_of_environment()))
    for entry in found.entries:
        print(entry.model_dump_json() if as_json else _line(entry))
    if not found.intact:
        fail("\n".join(found.problems))


admin.command("suspects")(suspects)


def _act(by: str, name: operators.ActionName, done: str, **fields: Any) -> None:
    operator = operator_name(by)
    try:
        request = operators.ACTIONS[name].request(**fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        fail(f"{place}: {first['msg'].removeprefix('Value error, ')}", BAD_SETTINGS)
    changed = run(_carry_out(settings_of_environment(), operator, request))
    if isinstance(changed, Refused):
        details = "" if changed.details is None else f" {json.dumps(dict(changed.details))}"
        fail(f"{changed.code}: {_meaning(changed)}{details}")
    print(done if changed else "Nothing changed: it was so already.")


def _meaning(refused: Refused) -> str:
    if refused.code is ErrorCode.INVALID_MESSAGE:
        return "The end is past."
    return ERRORS[refused.code].message


async def _carry_out(settings: Settings, by: str, request: ActionRequest) -> bool | Refused:
    async with opened(settings) as backends:
        await backends.stores.learn_channels_and_time()
        use_cases = UseCases(
            settings,
            tiers(settings),
            backends.stores,
            backends.stores.topology.subscription(backends.stores.channels, lambda: None),
            backends.clock,
            backends.stores.connection.metrics,
            lambda _alien_id: True,
            backends.past,
        )
        return await use_cases.operators.carry_out(by, request)


async def _log(settings: Settings) -> OperatorLogView:
    async with opened(settings) as backends:
        kept = None if backends.books is None else backends.books.kept_actions
        return await OperatorHistory(backends.stores.operator_log, kept).read()


def _line(entry: LogEntryView) -> str:
    who, whom = _quoted(entry.operator), _quoted(entry.target)
    words = [str(entry.id), entry.at, who, entry.action, whom]
    if entry.details:
        words.append(json.dumps(entry.details, ensure_ascii=True))
    return " ".join([*words, json.dumps(entry.reason)])


def _quoted(text: str) -> str:
    return text if text.isprintable() and " " not in text and text else json.dumps(text)
