"""The command `fair-bingo load`."""

import math
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from server.cli.console import fail
from server.load.condition import Condition
from server.load.descriptors import raise_limit
from server.load.figures import figure_names, figures
from server.load.jwks_server import serving_jwks
from server.load.progress import progress, summary
from server.load.report import write_report
from server.load.run import Run, RunFailed
from server.load.scenario import Scenario, Signing
from server.load.stats import IntervalStats
from server.load.target import Target
from server.load.tokens import jwks_of, read_key
from server.runtime.exit_codes import FAILED


def load(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The server, such as http://127.0.0.1:8000.")
    ],
    *,
    dev: Annotated[
        bool, typer.Option("--dev", help="Get tokens and payments from the development server.")
    ] = False,
    token_key: Annotated[
        Path | None,
        typer.Option(help="Sign tokens with this Ed25519 private key (PEM).", metavar="FILE"),
    ] = None,
    webhook_key: Annotated[
        Path | None,
        typer.Option(help="Sign webhooks with this Ed25519 private key (PEM).", metavar="FILE"),
    ] = None,
    issuer: Annotated[
        str, typer.Option(help="`iss` of signed tokens: the server's ALIEN_ISSUER.")
    ] = "https://sso.alien-api.com",
    audience: Annotated[
        str, typer.Option(help="`aud` of signed tokens: the server's ALIEN_PROVIDER_ADDRESS.")
    ] = "",
    kid: Annotated[str, typer.Option(help="`kid` of signed tokens.")] = "load",
    jwks_port: Annotated[
        int | None,
        typer.Option(help="Serve the token key's JWKS on this port of 127.0.0.1 (0: a free one)."),
    ] = None,
    players: Annotated[int, typer.Option(min=1, help="How many play.")] = 100,
    spectators: Annotated[int, typer.Option(min=0, help="How many more watch.")] = 0,
    tiers: Annotated[
        str, typer.Option(help="Buy-ins to play for, in turn; of the classic game.")
    ] = "3500",
    claims: Annotated[
        bool, typer.Option(help="Claim complete patterns, or let every game last all its calls.")
    ] = True,
    ramp_seconds: Annotated[
        float, typer.Option(min=0, help="Everyone comes, and in the end leaves, in so long.")
    ] = 10,
    duration_seconds: Annotated[
        float, typer.Option(min=0, help="How long everyone plays in between.")
    ] = 60,
    reconnect_at: Annotated[
        float | None,
        typer.Option(min=0, help="So many seconds after the start, drop all sockets at once."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Share the players out.")] = 1,
    source_addresses: Annotated[
        int, typer.Option(min=1, max=60_000, help="Connect from 127.0.0.1 and those after it.")
    ] = 1,
    call_interval_seconds: Annotated[
        float, typer.Option(min=0.001, help="The server's CALL_INTERVAL_SECONDS, for the jitter.")
    ] = 3,
    clock_offset_ms: Annotated[
        float, typer.Option(help="How far the server's store is ahead of this machine's clock.")
    ] = 0,
    report: Annotated[
        Path | None, typer.Option(help="Write report.json and report.html here.", metavar="DIR")
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(help="Exit code 1 if this is so, like 'push_p99_ms>100'. May be repeated."),
    ] = None,
) -> None:
    """Play on a server with players in bulk, and measure it.

    Each is one socket that joins, pays, arranges, listens and claims by the real protocol, again
    and again, and checks that every event of its room comes once and in order. Ctrl-C ends early,
    with a report.

    A process of this tool is good for some 10,000 sockets. One address has some 28,000 ports to
    connect to a server from: for more use --source-addresses on the server's own machine, or load
    it from several.

    The server has limits that mean well. CONNECT_RATE (200 a second an address) bounds the ramp
    and makes all who were dropped at once wait for their turn; MAX_SOCKETS (20,000) bounds a
    process; HTTP_RATE, MESSAGE_RATE, JOIN_RATE and SOCKETS_PER_PLAYER are for each player, and
    enough. Raise the first two, or set them to 0, where they are not what is to be measured.

    Pushes are timed from the `at` of the server's store to the receipt here. On one machine that
    is one clock; else see to it that both are synchronised, or say --clock-offset-ms.
    """
    with _refusing_bad_options():
        conditions = [Condition.parse(text, figure_names()) for text in fail_if or ()]
        scenario = Scenario(
            target=Target.resolve(url, source_addresses),
            name=f"load-{secrets.token_hex(3)}",
            players=players,
            spectators=spectators,
            tiers=tuple(int(tier) for tier in tiers.split(",")),
            ramp_seconds=ramp_seconds,
            duration_seconds=duration_seconds,
            reconnect_at_seconds=reconnect_at,
            call_interval_seconds=call_interval_seconds,
            clock_offset_ms=clock_offset_ms,
            claims=claims,
            signing=None if dev else _signing(token_key, webhook_key, issuer, audience, kid),
        )
        if report is not None:
            report.mkdir(parents=True, exist_ok=True)  # before the run: after it, it would be late
    seconds = _play(scenario, processes, jwks_port)
    failed = [condition for condition in conditions if condition.holds(figures(seconds))]
    if report is not None:
        title = f"{scenario.players} players on {scenario.target.url}"
        write_report(report, title, seconds, scenario.steady, failed)
    typer.echo(summary(seconds))
    for condition in failed:
        typer.echo(f"failed: {condition}", err=True)
    if failed:
        raise typer.Exit(FAILED)


@contextmanager
def _refusing_bad_options() -> Iterator[None]:
    """End the command with the usage and what is wrong, if something raises OSError or ValueError
    of what an option says."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from error


def _signing(
    token_key: Path | None, webhook_key: Path | None, issuer: str, audience: str, kid: str
) -> Signing:
    """What the options say of signing. Raises ValueError if one of them is missing, and for the
    webhooks' key as `read_key` does."""
    if token_key is None or webhook_key is None or not audience:
        raise ValueError("give --dev, or --token-key, --webhook-key and --audience")
    read_key(webhook_key)
    return Signing(token_key, webhook_key, issuer, audience, kid)


def _play(scenario: Scenario, processes: int, jwks_port: int | None) -> Sequence[IntervalStats]:
    """Play a scenario to its end, with its progress on stderr: the stats of each second. Ends the
    command if one of the processes fails."""
    with ExitStack() as stack:
        with _refusing_bad_options():
            raise_limit(math.ceil(scenario.participants / processes))
            stack.enter_context(_jwks_server(scenario.signing, jwks_port))
        try:
            run = Run(scenario, processes)
            with progress() as show:
                run.watch(show)
        except RunFailed as error:
            fail(str(error))
        return run.seconds


def _jwks_server(signing: Signing | None, port: int | None) -> AbstractContextManager[object]:
    if signing is None or port is None:
        return nullcontext()
    return serving_jwks(jwks_of(read_key(signing.token_key), signing.kid), port)
