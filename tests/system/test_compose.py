"""What docker-compose.yml says fits together, and fits what it runs."""

from pathlib import Path
from typing import Any

import yaml

from server.runtime.settings import Settings
from server.runtime.store_url import read_store_url

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
NODES = ("node1", "node2")


def test_the_servers_are_given_settings_that_exist() -> None:
    for node in NODES:
        variables = SERVICES[node]["environment"]
        assert {name.lower() for name in variables} <= set(Settings.model_fields)
        assert variables["REDIS_URL"] == "redis://store:6379/0"


def test_the_servers_have_longer_to_stop_than_to_drain() -> None:
    drain_seconds = Settings.model_fields["drain_seconds"].default
    for node in NODES:
        grace = SERVICES[node]["stop_grace_period"]
        assert grace.endswith("s")
        assert float(grace[:-1]) > drain_seconds


def test_the_balancer_knows_the_servers_and_its_configuration_is_there() -> None:
    balancer = SERVICES["balancer"]
    assert [balancer["environment"][name] for name in ("NODE1", "NODE2")] == [
        f"{node}:{SERVICES[node]['environment']['PORT']}" for node in NODES
    ]
    source, _, _ = balancer["volumes"][0].partition(":")
    assert (ROOT / source).is_file()


def test_the_store_keeps_what_it_acknowledges() -> None:
    store = SERVICES["store"]
    assert "--appendonly yes --appendfsync always" in store["command"]
    assert store["volumes"] == ["store:/data"]
    assert "store" in COMPOSE["volumes"]


def test_the_books_have_their_schema_before_anyone_uses_them() -> None:
    for service in (*NODES, "archive"):
        waits_for = SERVICES[service]["depends_on"]
        assert waits_for["migrate"]["condition"] == "service_completed_successfully"
    assert SERVICES["migrate"]["command"] == ["migrate"]
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"]["books"]["condition"] == "service_healthy"
    assert "books" in COMPOSE["volumes"]


def test_what_is_owed_is_paid_by_a_service_that_only_it_knows() -> None:
    paying = {
        "payouts": "archive",
        "payouts-ha": "archive-ha",
        "payouts-cluster": "archive-cluster",
    }
    for name, archive in paying.items():
        payouts = SERVICES[name]
        assert payouts["command"] == ["payouts"]
        assert payouts["profiles"] == [name]  # it would not start without a payment service
        assert payouts["depends_on"] == SERVICES[archive]["depends_on"]
        key = {"PAYOUT_KEY": "${PAYOUT_KEY:-}"}
        assert payouts["environment"] == SERVICES[archive]["environment"] | key
    for other in {*SERVICES} - {*paying}:
        assert not SERVICES[other].get("environment", {}).get("PAYOUT_KEY")


def test_the_profile_ha_waits_for_a_replica_and_its_primary_takes_no_writes_without_one() -> None:
    for node in ("node3", "node4", "archive-ha"):
        url = SERVICES[node]["environment"]["REDIS_URL"]
        assert read_store_url(url).kind == "sentinel"
        assert SERVICES[node]["environment"]["STORE_REPLICAS"] == "1"
    for store in ("primary", "replica"):
        command = SERVICES[store]["command"]
        assert "--appendonly yes --appendfsync always" in command
        assert "--min-replicas-to-write 1 --min-replicas-max-lag 2" in command
        assert store in COMPOSE["volumes"]
    assert "--replicaof primary 6379" in SERVICES["replica"]["command"]


def test_the_sentinels_of_the_profile_ha_watch_what_the_servers_ask_for() -> None:
    url = read_store_url(SERVICES["node3"]["environment"]["REDIS_URL"])
    assert {address.host for address in url.nodes} == {f"sentinel{n}" for n in (1, 2, 3)}
    configuration = (ROOT / ".deploy/sentinel.conf").read_text()
    assert f"sentinel monitor {url.name} primary 6379 2" in configuration
    assert all(SERVICES[address.host]["profiles"] == ["ha"] for address in url.nodes)


def test_the_servers_of_the_profile_cluster_find_its_nodes_and_wait_for_replicas() -> None:
    shards = [SERVICES[f"shard{place}"] for place in range(1, 7)]
    addresses = [shard["networks"]["fair-bingo"]["ipv4_address"] for shard in shards]
    assert len(set(addresses)) == len(addresses)
    for node in ("node5", "node6"):
        variables = SERVICES[node]["environment"]
        url = read_store_url(variables["REDIS_URL"])
        assert url.kind == "cluster"
        assert {address.host for address in url.nodes} <= set(addresses)
        assert variables["STORE_REPLICAS"] == "1"
        assert int(variables["TABLES_PER_TIER"]) > 1
        assert {name.lower() for name in variables} <= set(Settings.model_fields)
    assert all(f"{address}:6379" in SERVICES["cluster"]["command"][-1] for address in addresses)
    for place, shard in enumerate(shards, 1):
        assert "--appendonly yes --appendfsync always" in shard["command"]
        assert "--min-replicas-to-write 1" in shard["command"]
        assert "--cluster-require-full-coverage no" in shard["command"]
        assert shard["volumes"] == [f"shard{place}:/data"]
        assert f"shard{place}" in COMPOSE["volumes"]
