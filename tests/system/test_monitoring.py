"""What watches the servers: the rules and the dashboard ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.guides import OPERATING, anchors
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.conftest import Serve
from tests.system.game_server import GameServer

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / ".deploy"
ALERTS: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0][
    "rules"
]
PANELS: list[dict[str, Any]] = json.loads((DEPLOY / "grafana/fair-bingo.json").read_text())[
    "panels"
]
EXPRESSIONS = [alert["expr"] for alert in ALERTS] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]
OF_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


def promtool(*arguments: str, text: bytes = b"") -> None:
    """Run promtool, which must be content."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is needed: apt-get install prometheus")
    done = subprocess.run(
        ["promtool", *arguments],
        check=False,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.fixture
async def metrics(serve: Serve) -> bytes:
    """The metrics of a server after a claim."""
    server: GameServer = await serve(CALL_INTERVAL_SECONDS="0.5")
    lobby_id = await server.ready("alice", "bob")
    async with server.visitor("alice") as alice:
        await alice.enter(lobby_id)
        await alice.receives("number_called")
        await alice.ask("claim")
    return bytes((await server.get("/metrics")).body)


def test_the_alerts_fire_when_they_should() -> None:
    promtool("test", "rules", str(ROOT / "tests/system/alerts_test.yml"))


def test_prometheus_takes_its_configuration() -> None:
    promtool("check", "config", str(DEPLOY / "prometheus.yml"))


async def test_the_metrics_are_written_as_prometheus_wants_them(metrics: bytes) -> None:
    promtool("check", "metrics", text=metrics)


async def test_every_metric_that_is_watched_is_one_that_there_is(metrics: bytes) -> None:
    reported = set(re.findall(r"^# TYPE (\w+)", metrics.decode(), re.MULTILINE))
    watched = {
        OF_HISTOGRAM.sub("", name)
        for expression in EXPRESSIONS
        for name in re.findall(r"fair_bingo_\w+", expression)
    }
    assert watched <= reported


async def test_every_metric_is_on_the_dashboard(metrics: bytes) -> None:
    reported = set(re.findall(r"^# TYPE (fair_bingo_\w+)", metrics.decode(), re.MULTILINE))
    unseen = {
        name for name in reported if not any(name in expression for expression in EXPRESSIONS)
    }
    assert {name for name in unseen if not name.endswith("_created")} == set()


def test_every_alert_leads_to_a_heading_of_the_guide() -> None:
    for alert in ALERTS:
        page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert page == "server/OPERATING.md"
        assert anchor in anchors(ROOT / page), alert["alert"]


def test_every_action_that_an_alert_names_is_a_command() -> None:
    actions = [alert["annotations"].get("action", "") for alert in ALERTS]
    named = [action.split()[:3] for action in actions if action]
    assert named
    guide = OPERATING.read_text()
    for program, group, command in named:
        assert f"{program} {group} {command}" in guide


async def test_the_metrics_of_the_guide_are_those_that_there_are(metrics: bytes) -> None:
    reported = set(re.findall(r"^# TYPE (fair_bingo_\w+)", metrics.decode(), re.MULTILINE))
    named = set(re.findall(r"`(fair_bingo_\w+)`", OPERATING.read_text()))
    assert named == {name for name in reported if not name.endswith("_created")}


def test_the_compose_file_loads_all_of_it() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    mounted = [
        ROOT / volume.partition(":")[0]
        for name in ("prometheus", "grafana")
        for volume in services[name]["volumes"]
        if volume.startswith("./")
    ]
    assert {path.name for path in mounted} == {
        *("prometheus.yml", "alerts.yml"),
        *("datasource.yml", "dashboards.yml", "fair-bingo.json"),
    }
    assert all(path.is_file() for path in mounted)
