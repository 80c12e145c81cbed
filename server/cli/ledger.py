"""The operator's commands about money: `fair-bingo audit` and `fair-bingo ledger`."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from server.cli.backends import opened
from server.cli.console import fail, run, settings_of_environment
from server.cli.progress import progress
from server.rules.coins import coins_text
from server.runtime.settings import Settings
from server.services.audit import Audit, AuditReport
from server.services.past import WholeLedger
from server.store.ledger import LedgerEntry, MalformedEntry

_ATTEMPTS: Final = 3
"""The first may fail only because the store's time was not known."""

ledger = typer.Typer(
    name="ledger",
    help="What moved, what is owed, and noting that it was paid.",
    no_args_is_help=True,
)


def audit() -> None:
    """Recompute the ledger. Exit code 1 if it does not hold."""
    report = run(_audit(settings_of_environment()))
    for table in report.tables:
        total = table.total
        print(
            f"{table.table}: {table.entries} entries, received {coins_text(total.received)} ="
            f" pot {coins_text(total.pot)} + payout_owed {coins_text(total.payout_owed)}"
            f" + refund_owed {coins_text(total.refund_owed)} + house {coins_text(total.house)}"
        )
    if report.problems:
        fail("\n".join(report.problems))
    print("The ledger holds.")


@ledger.command("list")
def list_entries(
    *,
    owed: Annotated[bool, typer.Option(help="Only what is owed and not settled.")] = False,
    unmatched: Annotated[bool, typer.Option(help="Payments that matched nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the ledger's entries, or the payments that matched nothing."""
    settings = settings_of_environment()
    run(_list_unmatched(settings, as_json) if unmatched else _list(settings, owed, as_json))


@ledger.command()
def settle(
    entry: Annotated[
        str, typer.Argument(metavar="ENTRY", help="<table>:<stream id>, as `list` has it.")
    ],
    *,
    reference: Annotated[str, typer.Option(help="The transaction that paid it.")],
) -> None:
    """Note that what an entry says is owed was paid. Exit code 1 if that cannot be noted."""
    refusal = run(_settle(settings_of_environment(), entry, reference))
    if refusal is not None:
        fail(f"{entry}: {refusal}")
    print(f"{entry} is settled.")


async def _audit(settings: Settings) -> AuditReport:
    async with opened(settings) as backends:
        with progress("entries and lobbies looked at") as looked_at:
            stores = backends.stores
            audits = Audit(backends.ledger, stores.lobbies, stores.directory, looked_at)
            return await audits.run(await stores.tables.read())


async def _list(settings: Settings, owed: bool, as_json: bool) -> None:
    async with opened(settings) as backends:
        for table in await backends.stores.tables.read():
            async for page in backends.ledger.pages(table):
                wanted = await _unsettled(backends.ledger, page) if owed else page
                for entry in wanted:
                    print(json.dumps(_fields(entry)) if as_json else _line(entry))


async def _unsettled(
    entries: WholeLedger, page: list[LedgerEntry | MalformedEntry]
) -> list[LedgerEntry | MalformedEntry]:
    """What is owed, and what is malformed: it may be owed as well."""
    owed = [entry for entry in page if isinstance(entry, LedgerEntry) and entry.owed]
    settled = await entries.settled(owed)
    open_ids = {entry.entry_id for entry in owed} - settled.keys()
    return [e for e in page if isinstance(e, MalformedEntry) or e.entry_id in open_ids]


async def _list_unmatched(settings: Settings, as_json: bool) -> None:
    async with opened(settings) as backends:
        async for tx, raw_body in backends.ledger.unmatched():
            print(
                json.dumps({"tx": tx, "body": raw_body})
                if as_json
                else f"{_shown(tx)} {_printable(raw_body)}"
            )


async def _settle(settings: Settings, entry_id: str, reference: str) -> str | None:
    async with opened(settings) as backends:
        await backends.stores.learn_channels_and_time()
        entry = await backends.ledger.entry(entry_id)
        if entry is None:
            return "there is no such entry"
        if isinstance(entry, MalformedEntry):
            return f"it is malformed: {entry.problem}"
        if not entry.owed:
            return f"it is of kind {entry.kind}: nothing is owed"
        if backends.books is not None:
            return await backends.books.payout_desk.settle(entry, reference)
        for _ in range(_ATTEMPTS):
            if await backends.ledger.settled([entry]):
                return "it was settled before"
            if await backends.ledger.settle(entry, reference, backends.clock.now_ms()):
                return None
        return "the store refuses: try again"


def _fields(entry: LedgerEntry | MalformedEntry) -> dict[str, Any]:
    """The entry for JSON: an amount that is no whole number is a text, which no reader rounds."""
    if isinstance(entry, MalformedEntry):
        return {"entry": entry.entry_id, "malformed": entry.problem, "fields": dict(entry.fields)}
    known = {name: value for name, value in asdict(entry).items() if value is not None}
    del known["table"], known["stream_id"]
    if not isinstance(entry.amount, int):
        known["amount"] = coins_text(entry.amount)
    return {"entry": entry.entry_id, **known}


def _line(entry: LedgerEntry | MalformedEntry) -> str:
    if isinstance(entry, MalformedEntry):
        return f"{entry.entry_id} malformed: {entry.problem}"
    at = datetime.fromtimestamp(entry.at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = [entry.lobby_id, entry.alien_id, entry.invoice_id, entry.event, entry.reference]
    words = [
        entry.entry_id,
        at,
        entry.kind,
        f"{'+' if entry.amount >= 0 else ''}{coins_text(entry.amount)}",
        *(_shown(name) for name in names if name),
    ]
    return " ".join([*words, "test"] if entry.test else words)


def _shown(text: str) -> str:
    """A text from outside: quoted unless it is one plain word, so that it cannot be taken for
    something else, or reach into the terminal."""
    return _printable(text) if " " not in text else json.dumps(text)


def _printable(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)
