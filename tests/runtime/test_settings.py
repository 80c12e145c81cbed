"""The environment makes settings, or one line that says which variable is wrong."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.runtime.settings import Settings, SettingsError, load_settings
from tests.runtime.variables import KEY, REQUIRED, error_of

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def example() -> dict[str, str]:
    lines = EXAMPLE.read_text().splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return dict(pairs)


def test_the_example_names_exactly_the_settings() -> None:
    assert sorted(example()) == sorted(field.upper() for field in Settings.model_fields)


def test_the_example_holds_the_defaults() -> None:
    assert load_settings(example() | REQUIRED) == load_settings(REQUIRED)


def test_the_example_comments_every_variable() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        assert line.startswith("#") or not line or lines[number - 1].startswith("#")


def test_lists_are_separated_by_commas() -> None:
    settings = load_settings(
        REQUIRED
        | {
            "BUY_IN_TIERS": "100, 200",
            "GRAND_TIERS": "300",
            "ALLOWED_ORIGINS": "https://Play.example,http://localhost:3000,capacitor://app",
            "TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8,::1",
            "WEBHOOK_PUBLIC_KEY": f"{KEY.hex()},{KEY.hex().upper()}",
        }
    )
    assert settings.buy_in_tiers == (100, 200)
    assert settings.grand_tiers == (300,)
    assert settings.allowed_origins == (
        "https://play.example",
        "http://localhost:3000",
        "capacitor://app",
    )
    assert any(ip_address("10.1.2.3") in network for network in settings.trusted_proxies)
    assert settings.webhook_public_key == (KEY, KEY)


def test_an_empty_variable_is_unset_and_an_unknown_one_is_ignored() -> None:
    variables = {"PORT": "", "ALLOWED_ORIGINS": "", "port": "1", "PATH": "/bin"}
    assert load_settings(REQUIRED | variables) == load_settings(REQUIRED)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_variable_that_is_missing_or_empty_is_named(name: str) -> None:
    assert error_of(**{name: ""}).startswith(f"{name}: ")


def test_what_is_wrong_twice_is_said_once() -> None:
    assert error_of(BUY_IN_TIERS="a,b").count("BUY_IN_TIERS") == 1


def test_the_error_is_one_line_that_names_every_wrong_variable() -> None:
    line = error_of(PORT="http", SEAT_SECONDS="0", LOG_FORMAT="xml")
    assert "\n" not in line
    assert all(name in line for name in ("PORT:", "SEAT_SECONDS:", "LOG_FORMAT:"))


def test_a_password_is_neither_in_the_error_nor_in_the_repr() -> None:
    for url in (
        "redis://:hunter2@localhost:port",
        "redis://:hunter2/@localhost",
        "hunter2",
        "redis+sentinel://:hunter2@one",
    ):
        assert "hunter2" not in error_of(REDIS_URL=url)
    assert "hunter2" not in error_of(PORT="x")
    assert "hunter2" not in repr(load_settings(REQUIRED))


def test_real_keys_are_taken() -> None:
    for _ in range(20):
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        settings = load_settings(REQUIRED | {"WEBHOOK_PUBLIC_KEY": key.hex()})
        assert settings.webhook_public_key == (key,)


GOOD_TOKEN = "sixteen-characters-or-more"


def test_operators_have_a_name_a_role_and_a_token_each() -> None:
    text = f"eve:admin:{GOOD_TOKEN}:1, ann.b@c:viewer:{GOOD_TOKEN}2"
    loaded = load_settings(REQUIRED | {"OPS_TOKENS": text, "OPS_TOKEN": GOOD_TOKEN})
    found = [(each.name, each.role, each.token) for each in loaded.operators]
    assert found == [
        ("operator", "viewer", GOOD_TOKEN),
        ("eve", "admin", f"{GOOD_TOKEN}:1"),
        ("ann.b@c", "viewer", f"{GOOD_TOKEN}2"),
    ]
    assert GOOD_TOKEN not in repr(loaded)


@pytest.mark.parametrize(
    "text",
    [
        "SECRET-SECRET-SECRET",
        "eve:SECRET-SECRET-SECRET",
        "eve:king:SECRET-SECRET-SECRET",
        "eve:admin:SECRET",
        "eve:admin:",
        ":admin:SECRET-SECRET-SECRET",
        "e ve:admin:SECRET-SECRET-SECRET",
        "eve:admin:SECRET SECRET SECRET",
        "eve:admin:SECRET-SECRET-SECRET,",
        "eve:admin:SECRET-SECRET-SECRET,ann:viewer:SECRET-SECRET-SECRET",
    ],
)
def test_wrong_operators_are_reported_without_their_tokens(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(REQUIRED | {"OPS_TOKENS": text})
    assert str(raised.value).startswith("OPS_TOKENS: ")
    assert "SECRET" not in str(raised.value)
