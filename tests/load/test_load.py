"""`fair-bingo load`, from the command to its reports."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli.main import app_of
from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from tests.load.conftest import GAME, KEEP_ALIVE_SECONDS, Load
from tests.support.process import ChildProcess
from tests.system.game_server import running_app

RUN_SECONDS = 300.0
TEN = ("--players=10", "--ramp-seconds=0.5", "--duration-seconds=3600")
TRANSIENT = {"unavailable"}
"""Codes that a machine may cause that is so slow that its store does not answer within 2 s."""
OF_A_TOOL_THAT_STOOD_STILL = {"connection_lost", "wrong_status"}
"""A server cuts off whoever does not answer for 5 s, and a ticket that was arranged without an
answer is arranged again."""
STOOD_STILL_MS = 4_000
A_GAME = r"[1-9]\d+ games"  # ten players saw its end
SOME_GAMES = r"[1-9]\d{2,} games"  # ten of ten players


async def interrupt_after(run: ChildProcess, pattern: str) -> int:
    """SIGINT (Ctrl-C) as soon as the run has printed a match of `pattern`; its exit code."""
    await run.wait_for_line(pattern, RUN_SECONDS)
    os.kill(run.pid, signal.SIGINT)
    return await run.wait(RUN_SECONDS)


def report_of(directory: Path) -> Any:
    return json.loads((directory / "report.json").read_bytes())


def excused(report: Any) -> set[str]:
    """The codes that the machine may have caused."""
    stood_still = (report["figures"]["tool_lag_max_ms"] or 0) > STOOD_STILL_MS
    return TRANSIENT | OF_A_TOOL_THAT_STOOD_STILL if stood_still else TRANSIENT


async def test_fifty_players_play_games_and_miss_nothing(
    dev_url: str, load: Load, tmp_path: Path
) -> None:
    run = load(
        dev_url, "--dev", "--players=50", "--spectators=3", "--ramp-seconds=2",
        "--duration-seconds=3600", "--processes=2", "--source-addresses=3",
        f"--report={tmp_path}", "--fail-if=missed>0", "--fail-if=games<10",
    )  # fmt: skip

    # Of some games: the tool may have stood still while all numbers of one were called.
    assert await interrupt_after(run, rf"53 sockets, {SOME_GAMES}") == 0, run.output
    report = report_of(tmp_path)
    figures = report["figures"]
    assert report["errors"].keys() <= excused(report)
    assert figures["sockets"] == 53
    assert figures["wins"] > 0
    assert [figures[name] for name in ("missed", "duplicates", "misrouted")] == [0, 0, 0]
    for latency in ("push", "jitter", "connect", "join", "pay", "arrange_grid", "claim", "token"):
        assert 0 < figures[f"{latency}_p50_ms"] <= figures[f"{latency}_p999_ms"]
    assert sum(second["events"] for second in report["series"]) == figures["events"]


async def test_players_who_are_dropped_come_back_and_miss_nothing(
    dev_url: str, load: Load, tmp_path: Path
) -> None:
    for drop_at, until_then in ((4, r"\d\d"), (60, r"(6[1-9]|[7-9]\d|\d{3})")):
        run = load(
            dev_url, "--dev", "--players=30", "--no-claims", "--ramp-seconds=1",
            "--duration-seconds=3600", f"--reconnect-at={drop_at}", f"--report={tmp_path}",
        )  # fmt: skip
        assert await interrupt_after(run, until_then + " s: 30 sockets") == 0, run.output
        report = report_of(tmp_path)
        if report["figures"]["connections"] > 30:
            break  # a machine that pauses may let in nobody before they are to be dropped
    figures = report["figures"]
    assert figures["connections"] > 30
    assert [figures[name] for name in ("missed", "duplicates", "misrouted")] == [0, 0, 0]
    # Who comes back late may find that what they wanted to do is over.
    assert report["errors"].keys() <= {"wrong_status", *excused(report)}


async def test_with_keys_of_its_own_it_needs_no_development_server(
    store_url: str, load: Load, tmp_path: Path
) -> None:
    issuer = DevIssuer("https://issuer.test", "an-audience", tmp_path)
    provider = DevProvider(tmp_path)
    jwks_port = free_port()
    changes = GAME | {"ALIEN_JWKS_URL": f"http://127.0.0.1:{jwks_port}/"}
    async with running_app(store_url, issuer, provider, KEEP_ALIVE_SECONDS, **changes) as server:
        run = load(
            server.url, *TEN, f"--report={tmp_path}", f"--jwks-port={jwks_port}",
            f"--token-key={tmp_path / 'issuer-ed25519.pem'}",
            f"--webhook-key={tmp_path / 'provider-ed25519.pem'}",
            "--issuer=https://issuer.test", "--audience=an-audience",
        )  # fmt: skip

        assert await interrupt_after(run, A_GAME) == 0, run.output

    report = report_of(tmp_path)
    assert report["figures"]["games"] > 0
    assert report["errors"].keys() <= excused(report)


async def test_a_condition_that_holds_fails_the_run(
    dev_url: str, load: Load, tmp_path: Path
) -> None:
    run = load(
        dev_url, "--dev", *TEN, f"--report={tmp_path}",
        "--fail-if=push_p50_ms>0", "--fail-if=push_p50_ms<0",
    )  # fmt: skip

    assert await interrupt_after(run, A_GAME) == 1, run.output
    assert "failed: push_p50_ms>0\n" in run.output
    assert report_of(tmp_path)["failed"] == ["push_p50_ms>0"]


async def test_the_page_shows_the_run_without_anything_from_elsewhere(
    dev_url: str, load: Load, tmp_path: Path
) -> None:
    run = load(dev_url, "--dev", *TEN, f"--report={tmp_path}")
    assert await interrupt_after(run, A_GAME) == 0, run.output

    page = (tmp_path / "report.html").read_text()

    assert f"10 players on {dev_url}" in page
    assert page.count("<svg") == 6
    assert page.count("<polyline") >= 6
    assert not any(outside in page for outside in ("src=", "href=", "url(", "<script"))


async def test_without_an_interrupt_a_run_ends_when_its_time_is_up(
    dev_url: str, load: Load, tmp_path: Path
) -> None:
    run = load(
        dev_url, "--dev", "--players=2", "--ramp-seconds=0", "--duration-seconds=1",
        f"--report={tmp_path}",
    )  # fmt: skip

    assert await run.wait(RUN_SECONDS) == 0, run.output
    assert report_of(tmp_path)["figures"]["seconds"] >= 1


async def test_refusals_are_counted_by_their_code(dev_url: str, load: Load, tmp_path: Path) -> None:
    run = load(dev_url, "--dev", *TEN, "--tiers=3500,4711", f"--report={tmp_path}")

    assert await interrupt_after(run, r"[1-9]\d* errors") == 0, run.output
    report = report_of(tmp_path)
    assert report["errors"].keys() - excused(report) == {"unknown_tier"}
    assert report["figures"]["errors"] == sum(report["errors"].values())


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--token-key=absent.pem", "--webhook-key=absent.pem", "--audience=x"),
        ("--dev", "--fail-if=no_such_figure>1"),
        ("--dev", "--tiers=cheap"),
        ("--dev", "--players=100000000"),
        ("--dev", f"--report={__file__}"),
    ],
)
def test_options_that_make_no_sense_are_refused_at_once(options: tuple[str, ...]) -> None:
    assert_refused("http://127.0.0.1:1", *options)


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "http://127.0.0.1/game"])
def test_a_url_that_is_no_server_is_refused_at_once(url: str) -> None:
    assert_refused(url, "--dev")


def assert_refused(*arguments: str) -> None:
    """The command, in this process, ends before it asks anybody anything."""
    run = CliRunner().invoke(app_of(["load"]), ["load", *arguments])

    assert run.exit_code == 2, run.output
    assert isinstance(run.exception, SystemExit)
    assert run.output
