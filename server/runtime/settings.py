"""Every setting of the server: one field for each environment variable, in lower case."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from protocol import quicknet
from server.runtime.addresses import host, http_url, origin, postgres_url, redis_url, word
from server.runtime.bls import is_usable_key as is_usable_beacon_key
from server.runtime.ed25519 import is_usable_key
from server.runtime.ops_tokens import OpsToken, read_ops_tokens


class SettingsError(Exception):
    """The environment does not make settings. Its text is one line that names the variables and
    holds none of their values."""


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _distinct(tiers: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(tiers)) < len(tiers):
        raise ValueError("names a tier twice")
    return tiers


def _ed25519_key(text: str) -> bytes:
    """The key behind 64 hex digits."""
    key = bytes.fromhex(text) if len(text) == 64 else b""
    if not is_usable_key(key):
        raise ValueError("must be an Ed25519 public key: 32 bytes in hex")
    return key


def _chain_hash(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise ValueError("must be the hash of a chain: 32 bytes in hex")
    return text.lower()


def _beacon_key(text: str) -> str:
    key = bytes.fromhex(text) if re.fullmatch("[0-9a-fA-F]{192}", text) else b""
    if not is_usable_beacon_key(key):
        raise ValueError("must be a public key on G2 of BLS12-381: 96 bytes in hex")
    return text.lower()


def _seed(text: str) -> bytes:
    """The private key behind 64 hex digits."""
    text = text.strip()
    try:
        seed = bytes.fromhex(text) if len(text) == 64 else b""
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise ValueError("must be an Ed25519 private key: 32 bytes in hex")
    return seed


Text = Annotated[str, Field(min_length=1)]
Word = Annotated[Text, AfterValidator(word)]
Host = Annotated[Text, AfterValidator(host)]
Seconds = Annotated[float, Field(ge=0.001, le=10**9, allow_inf_nan=False)]
"""The store counts milliseconds, and 31 years are for ever: what is longer it does not take."""
SecondsOrZero = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A number a second; 0 switches the limit off."""
Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(gt=0, lt=2**31)]
Port = Annotated[int, Field(ge=0, le=65535)]
"""0 takes a free one."""
Tier = Annotated[int, Field(gt=0, lt=10**12)]
"""In coins; lobby and invoice ids, which are short, have it in them."""
Tiers = Annotated[tuple[Tier, ...], BeforeValidator(_split), AfterValidator(_distinct)]
Url = Annotated[str, AfterValidator(http_url)]
Urls = Annotated[tuple[Url, ...], BeforeValidator(_split)]
ChainHash = Annotated[str, AfterValidator(_chain_hash)]
BeaconKey = Annotated[str, AfterValidator(_beacon_key)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(origin)], ...], BeforeValidator(_split)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_split)]
PublicKeys = Annotated[
    tuple[Annotated[bytes, BeforeValidator(_ed25519_key)], ...], BeforeValidator(_split)
]


class Settings(BaseModel):
    """All settings, checked: see `load_settings`. What each means is in `.env.example`."""

    model_config = ConfigDict(frozen=True, str_strip_whitespace=True, defer_build=True)

    redis_url: Annotated[str, AfterValidator(redis_url), Field(repr=False)]
    sentinel_password: Annotated[Text | None, Field(repr=False)] = None
    store_replicas: Annotated[int, Field(ge=0, le=64)] = 0
    store_replicas_seconds: Annotated[float, Field(ge=0.001, le=60)] = 1
    allow_weak_durability: bool = False
    database_url: Annotated[str | None, AfterValidator(postgres_url), Field(repr=False)] = None

    host: Host = "0.0.0.0"  # noqa: S104 - a server in a container is reached from outside
    port: Port = 8000
    metrics_port: Port | None = None
    workers: Count = 1
    allowed_origins: Origins = ()
    trusted_proxies: Networks = ()
    drain_seconds: SecondsOrZero = 10
    log_level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(str.lower)
    ] = "info"
    log_format: Literal["json", "console"] = "json"

    alien_provider_address: Word
    alien_issuer: Word = "https://sso.alien-api.com"
    alien_jwks_url: Url = "https://sso.alien-api.com/oauth/jwks"
    jwks_ttl_seconds: Seconds = 600
    jwks_cooldown_seconds: Seconds = 30
    jwt_leeway_seconds: SecondsOrZero = 0
    token_max_seconds: Seconds = 86400

    webhook_public_key: PublicKeys
    payment_token: Word = "ALIEN"  # noqa: S105 - a currency
    payment_network: Word = "alien"
    coin_decimals: Annotated[int, Field(ge=0, le=36)] = 0
    allow_test_payments: bool = False

    address_days: Annotated[int | None, Field(gt=0, le=3650)] = None
    payout_url: Annotated[str | None, AfterValidator(http_url), Field(repr=False)] = None
    payout_key: Annotated[bytes | None, BeforeValidator(_seed), Field(repr=False)] = None
    payout_timeout_seconds: Seconds = 10
    payouts_at_once: Annotated[int, Field(gt=0, le=1000)] = 16
    payout_limit_coins_per_hour: Annotated[int | None, Field(gt=0)] = None
    payout_approval_coins: Annotated[int | None, Field(ge=0)] = None

    buy_in_tiers: Annotated[Tiers, Field(min_length=1)] = (3500, 7000, 17500)
    grand_tiers: Tiers = ()
    tables_per_tier: Annotated[int, Field(ge=1, le=64)] = 1
    min_players: Annotated[int, Field(ge=2)] = 2
    max_players: Annotated[int, Field(le=50)] = 10
    seat_seconds: Seconds = 120
    formation_seconds: Seconds = 120
    lobby_ttl_seconds: Seconds = 600
    arranging_seconds: Seconds = 90
    call_interval_seconds: Seconds = 3
    finished_ttl_seconds: Seconds = 600
    invoice_ttl_seconds: Seconds = 7 * 86400
    invoice_hot_seconds: SecondsOrZero = 3600
    proof_ttl_seconds: Seconds = 7 * 86400

    limit_cooling_seconds: SecondsOrZero = 86400

    connect_timeout_seconds: Seconds = 10
    connect_rate: Rate = 200
    http_rate: Rate = 20
    message_rate: Rate = 10
    message_burst: Count = 20
    join_rate: Rate = 1
    max_sockets: Count = 20000
    sockets_per_player: Count = 8
    client_buffer_bytes: Bytes = 262_144

    beacon_url: Urls = ()
    beacon_chain_hash: ChainHash = quicknet.CHAIN_HASH
    beacon_public_key: BeaconKey = quicknet.PUBLIC_KEY
    beacon_patience_seconds: Seconds = 60

    ops_token: Annotated[Word | None, Field(min_length=16, repr=False)] = None
    ops_tokens: Annotated[
        tuple[OpsToken, ...], BeforeValidator(read_ops_tokens), Field(repr=False)
    ] = ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.min_players > self.max_players:
            raise ValueError("MIN_PLAYERS: must not be above MAX_PLAYERS")
        if self.invoice_ttl_seconds < self.seat_seconds:
            raise ValueError(
                "INVOICE_TTL_SECONDS: must not be below SEAT_SECONDS: a seat that is held could"
                " not be paid"
            )
        if self.metrics_port and self.metrics_port == self.port:
            raise ValueError("METRICS_PORT: must not be PORT")
        if not set(self.grand_tiers).isdisjoint(self.buy_in_tiers):
            raise ValueError("GRAND_TIERS: must not name a tier of BUY_IN_TIERS")
        if self.ops_token in {each.token for each in self.ops_tokens}:
            raise ValueError("OPS_TOKEN: must not be a token of OPS_TOKENS as well")
        return self

    @property
    def operators(self) -> tuple[OpsToken, ...]:
        """All who may come to `/ops`."""
        viewers = (
            () if self.ops_token is None else (OpsToken("operator", "viewer", self.ops_token),)
        )
        return (*viewers, *self.ops_tokens)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. An empty variable counts as unset, an unknown one as absent.

    Raises SettingsError.
    """
    values = {field: environ.get(field.upper()) for field in Settings.model_fields}
    try:
        return Settings.model_validate({field: text for field, text in values.items() if text})
    except ValidationError as error:
        raise SettingsError(_in_a_line(error)) from None


class _BeaconKey(BaseModel):
    """The settings that a beacon is checked with, for those who need no others."""

    model_config = ConfigDict(defer_build=True)

    beacon_chain_hash: ChainHash = quicknet.CHAIN_HASH
    beacon_public_key: BeaconKey = quicknet.PUBLIC_KEY


def load_beacon_key(environ: Mapping[str, str]) -> tuple[str, str]:
    """The hash of the beacon's chain and its public key, in hex. Raises SettingsError."""
    names = _BeaconKey.model_fields
    texts = {field: environ.get(field.upper(), "").strip() for field in names}
    try:
        known = _BeaconKey.model_validate({field: text for field, text in texts.items() if text})
    except ValidationError as error:
        raise SettingsError(_in_a_line(error)) from None
    return known.beacon_chain_hash, known.beacon_public_key


def _in_a_line(error: ValidationError) -> str:
    """What pydantic found, each fault once: of two bad parts of a list it finds two."""
    found = [_problem(each["loc"], each["type"], each["msg"]) for each in error.errors()]
    return "; ".join(dict.fromkeys(found))


def _problem(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """One error of pydantic's as `NAME: what is wrong`; for a contradiction the message has it."""
    text = "is missing" if kind == "missing" else message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {text}" if location else text
