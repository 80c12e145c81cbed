"""The commands about payouts: `fair-bingo payouts`, which pays, and what operators do by hand."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from protocol.operators import MOST_CHARACTERS
from server.assembly.books import BooksMissing
from server.assembly.stores import WeakDurability
from server.cli.backends import opened
from server.cli.console import fail, run, settings_of_environment, url_of_books
from server.cli.operator_name import operator_name
from server.cli.payout_worker import pay_until_stopped
from server.rules.payouts import APPROVALS, STATUSES
from server.runtime.exit_codes import BAD_SETTINGS
from server.runtime.settings import Settings
from server.services.payout_fields import payout_fields
from server.services.payout_statement import BadStatement, StatementRow, differences, read_statement

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.books.payouts import Payout
    from server.services.payout_desk import NotDone, PayoutDesk

payouts = typer.Typer(
    name="payouts",
    help="Pay what is owed, and look after what is not paid yet. Without a command it pays, by the"
    " payment service at PAYOUT_URL, until SIGTERM; any number of these may run.",
    invoke_without_command=True,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The payout, as `list` has it.")]
By = Annotated[str, typer.Option(help="Who does so.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for the log.")]


@payouts.callback()
def pay(context: typer.Context) -> None:
    """Pay what is owed, unless another command was given."""
    if context.invoked_subcommand is not None:
        return
    settings = settings_of_environment()
    for name in ("database_url", "payout_url", "payout_key"):
        if getattr(settings, name) is None:
            fail(f"{name.upper()}: is missing", BAD_SETTINGS)
    try:
        run(pay_until_stopped(settings))
    except (BooksMissing, WeakDurability) as error:
        fail(str(error), BAD_SETTINGS)


@payouts.command("list")
def list_payouts(
    *,
    status: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATUSES)}.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List payouts: how far each is."""
    if status is not None and status not in STATUSES:
        fail(f"{status!r} is none of {', '.join(STATUSES)}", BAD_SETTINGS)
    run(_list(_settings(), status, as_json))


@payouts.command()
def retry(payout_id: Id, *, by: By, reason: Why = "") -> None:
    """Try a payout now, one that was refused too."""
    name, why = operator_name(by), _line_of(reason)
    _change(payout_id, lambda desk: desk.retry(payout_id, name, why), lambda _: "is tried again")


@payouts.command()
def refuse(payout_id: Id, *, reason: Why, by: By) -> None:
    """Do not pay a payout."""
    name, why = operator_name(by), _line_of(reason)
    if not why:
        fail("--reason: must say why", BAD_SETTINGS)

    def words(payout: "Payout") -> str:
        in_doubt = "; it may have been sent before, so it is looked up until that is known"
        return "refused" + (in_doubt if payout.standing.in_doubt else "")

    _change(payout_id, lambda desk: desk.refuse(payout_id, why, name), words)


@payouts.command()
def approve(payout_id: Id, *, by: By, reason: Why = "") -> None:
    """Approve of a payout that is held for two operators."""
    name, why = operator_name(by), _line_of(reason)

    def words(payout: "Payout") -> str:
        missing = APPROVALS - len(payout.approved_by)
        names = ", ".join(payout.approved_by)
        return f"approved by {names}" + (f"; {missing} more is needed" if missing > 0 else "")

    _change(payout_id, lambda desk: desk.approve(payout_id, name, why), words)


@payouts.command()
def pause(*, by: By, reason: Why = "") -> None:
    """Send nothing until `resume`."""
    name, why = operator_name(by), _line_of(reason)
    run(_with_desk(_settings(), lambda desk: desk.pause(name, why)))
    print("Payouts pause.")


@payouts.command()
def resume(*, by: By, reason: Why = "") -> None:
    """Go on; the hour of the limit counts anew."""
    name, why = operator_name(by), _line_of(reason)
    run(_with_desk(_settings(), lambda desk: desk.resume(name, why)))
    print("Payouts go on.")


@payouts.command()
def reconcile(
    statement: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV with payout_id, amount (as it was sent) and reference."
        ),
    ],
) -> None:
    """Compare the provider's statement with ours. Exit code 1 with each difference."""
    settings = _settings()
    try:
        with statement.open(encoding="utf-8-sig", newline="") as file:
            lines = read_statement(file)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read {statement}: {getattr(error, 'strerror', None) or 'it is no UTF-8'}")
    except BadStatement as error:
        fail(str(error))
    found = run(_reconcile(settings, lines))
    if found:
        fail("\n".join(found))
    print(f"The statement's {len(lines)} payments are ours.")


async def _reconcile(settings: Settings, lines: list[StatementRow]) -> list[str]:
    async with _desk(settings) as desk:
        return await differences(lines, desk.each())


async def _list(settings: Settings, status: Any, as_json: bool) -> None:
    async with _desk(settings) as desk:
        async for payout in desk.each(status):
            print(json.dumps(payout_fields(payout)) if as_json else _line(payout))


def _change(
    payout_id: str,
    work: "Callable[[PayoutDesk], Awaitable[Payout | NotDone]]",
    words: "Callable[[Payout], str]",
) -> None:
    done = run(_with_desk(_settings(), work))
    if hasattr(done, "standing"):
        print(f"{payout_id}: {words(done)}.")
    elif done.already:
        print(f"{payout_id}: nothing changed: {done.reason}.")
    else:
        fail(f"{payout_id}: {done.reason}")


async def _with_desk(settings: Settings, work: "Callable[[PayoutDesk], Awaitable[Any]]") -> Any:
    async with opened(settings) as backends:
        await backends.stores.learn_channels_and_time()
        return await work(backends.named_books.payout_desk)


@asynccontextmanager
async def _desk(settings: Settings) -> "AsyncIterator[PayoutDesk]":
    async with opened(settings) as backends:
        yield backends.named_books.payout_desk


def _settings() -> Settings:
    settings = settings_of_environment()
    url_of_books(settings)
    return settings


def _line_of(reason: str) -> str:
    """The reason without spaces around it; ends the command if it is more than a line of the length
    that `/ops/api` takes."""
    line = reason.strip()
    if not line.isprintable() or len(line) > MOST_CHARACTERS:
        fail(f"--reason: must be one line of up to {MOST_CHARACTERS} characters", BAD_SETTINGS)
    return line


def _line(payout: "Payout") -> str:
    fields = payout_fields(payout)
    reason, names = fields.pop("reason"), fields.pop("approved_by")
    words = [str(value) if value is not None else "-" for value in fields.values()]
    if names:
        words.append(f"approved by {', '.join(names)}")
    return " ".join([*words, json.dumps(reason)] if reason else words)
