"""Each setting takes what is right, and refuses what is wrong by its name."""

import pytest

from server.runtime.settings import load_settings
from tests.runtime.variables import KEY, REQUIRED, error_of

P = 2**255 - 19
ORDER_8 = int.from_bytes(  # y of a point of order 8: 2 y**2 = 1 - d y**4
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)


def encoded(y: int) -> str:
    return y.to_bytes(32, "little").hex()


ACCEPTED = [
    ("CALL_INTERVAL_SECONDS", "0.05"),
    ("DRAIN_SECONDS", "0"),
    ("JWT_LEEWAY_SECONDS", "0"),
    ("PORT", "0"),
    ("PORT", "65535"),
    ("METRICS_PORT", "0"),
    ("METRICS_PORT", "9100"),
    ("MAX_PLAYERS", "50"),
    ("MAX_PLAYERS", "2"),
    ("MIN_PLAYERS", "10"),
    ("MESSAGE_RATE", "0"),
    ("MESSAGE_RATE", "0.5"),
    ("CONNECT_RATE", "0"),
    ("HTTP_RATE", "0"),
    ("MESSAGE_BURST", "0"),
    ("MAX_SOCKETS", "0"),
    ("SOCKETS_PER_PLAYER", "0"),
    ("JOIN_RATE", "0"),
    ("COIN_DECIMALS", "18"),
    ("LOG_LEVEL", "WARNING"),
    ("ALLOW_TEST_PAYMENTS", "true"),
    ("ALIEN_JWKS_URL", "http://127.0.0.1:8080/jwks"),
    ("REDIS_URL", "rediss://user:pw@store.example:6380/1"),
    ("REDIS_URL", "unix:///run/valkey.sock?db=1"),
    ("REDIS_URL", "redis://[::1]/0"),
    ("REDIS_URL", "redis://store.example/?client_name=bingo"),
    ("REDIS_URL", "rediss://store.example/0?ssl_cert_reqs=none"),
    ("REDIS_URL", "redis+sentinel://one,two:26380,[::1]:1/games"),
    ("REDIS_URL", "redis+cluster://user:hunter2@one,two:7000,[::1]:1"),
    ("REDIS_URL", "rediss+cluster://one"),
    ("REDIS_URL", "rediss+sentinel://user:p%40w@one:26379/games/3?ssl_cert_reqs=none"),
    ("HOST", "::"),
    ("HOST", "localhost"),
    ("FINISHED_TTL_SECONDS", "1000000000"),
    ("CALL_INTERVAL_SECONDS", "0.001"),
    ("ALLOWED_ORIGINS", "https://play.example:80,http://[::1]:3000,https://xn--bcher-kva.example"),
]

REFUSED = [
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://localhost"),
    ("REDIS_URL", "redis://localhost:99999"),
    ("REDIS_URL", "redis://localhost:0"),
    ("REDIS_URL", "unix://"),
    ("REDIS_URL", "redis://localhost/games"),
    ("REDIS_URL", "redis://localhost/-1"),
    ("REDIS_URL", "redis://localhost/1/2"),
    ("REDIS_URL", "redis://localhost/99999999999"),
    ("REDIS_URL", "redis://localhost/0?db=-1"),
    ("REDIS_URL", "unix:///run/valkey.sock?db=one"),
    ("REDIS_URL", "redis://localhost/0?timeout=1"),
    ("REDIS_URL", "redis://localhost/0?socket_timeout=60"),  # a store that hangs is to be noticed
    ("REDIS_URL", "redis://localhost/0?decode_responses=false"),
    ("REDIS_URL", "redis://localhost/0?ssl_cert_reqs=none"),  # of rediss
    ("REDIS_URL", "rediss://localhost/0?ssl_cert_reqs=perhaps"),
    ("REDIS_URL", "rediss://localhost/0?ssl_ca_certs=/nowhere/ca.pem"),
    ("REDIS_URL", "redis+sentinel://one:26379"),  # and nobody knows which primary
    ("REDIS_URL", "redis+sentinel://one,,two/games"),
    ("REDIS_URL", "redis+sentinel://one:0/games"),
    ("REDIS_URL", "redis+sentinel://one/games/zero"),
    ("REDIS_URL", "redis+sentinel://one/games/1/2"),
    ("REDIS_URL", "redis+sentinel:///games"),
    ("REDIS_URL", "redis+cluster://one,,two"),
    ("REDIS_URL", "redis+cluster://one/1"),  # it has one database only
    ("REDIS_URL", "redis+cluster://"),
    ("REDIS_URL", "redis+sentinel://one/games?socket_timeout=60"),
    ("HOST", "one host"),
    ("HOST", "a" * 64 + ".example"),
    ("ALIEN_PROVIDER_ADDRESS", "two words"),
    ("ALIEN_ISSUER", "https://iss\u00fcer.example"),
    ("PAYMENT_TOKEN", "AL IEN"),
    ("PAYMENT_NETWORK", "al\u00efen"),
    ("ALIEN_JWKS_URL", "https://sso example/jwks"),
    ("OPS_TOKEN", "sixteen letters or"),
    ("OPS_TOKEN", "sixteenl\u00e9ttersss"),
    ("OPS_TOKEN", "short"),
    ("ALIEN_PROVIDER_ADDRESS", " "),
    ("ALIEN_JWKS_URL", "file:///etc/passwd"),
    ("ALIEN_JWKS_URL", "https://"),
    ("WEBHOOK_PUBLIC_KEY", "ab" * 31),
    ("WEBHOOK_PUBLIC_KEY", "ab" * 33),
    ("WEBHOOK_PUBLIC_KEY", "zz" * 32),
    ("WEBHOOK_PUBLIC_KEY", KEY.hex(" ")),
    ("WEBHOOK_PUBLIC_KEY", KEY.hex() + ","),
    ("WEBHOOK_PUBLIC_KEY", encoded(2)),  # no point of the curve
    ("WEBHOOK_PUBLIC_KEY", encoded(P + 3)),  # not written as its remainder
    ("WEBHOOK_PUBLIC_KEY", encoded(0)),  # order 4
    ("WEBHOOK_PUBLIC_KEY", encoded(1)),  # order 1
    ("WEBHOOK_PUBLIC_KEY", encoded(P - 1)),  # order 2
    ("WEBHOOK_PUBLIC_KEY", encoded(ORDER_8)),
    ("WEBHOOK_PUBLIC_KEY", encoded(P - ORDER_8)),
    ("WEBHOOK_PUBLIC_KEY", encoded(ORDER_8 + 2**255)),  # with the other x
    ("PORT", "-1"),
    ("PORT", "65536"),
    ("PORT", "8000.5"),
    ("METRICS_PORT", "65536"),
    ("METRICS_PORT", "8000"),  # that is PORT
    ("SEAT_SECONDS", "0"),
    ("SEAT_SECONDS", "-1"),
    ("SEAT_SECONDS", "nan"),
    ("SEAT_SECONDS", "inf"),
    ("SEAT_SECONDS", "0.0009"),  # no millisecond
    ("PROOF_TTL_SECONDS", "1e-9"),
    ("FINISHED_TTL_SECONDS", "1e10"),  # not even the store counts so far
    ("PROOF_TTL_SECONDS", "1e300"),
    ("DRAIN_SECONDS", "1e300"),
    ("INVOICE_TTL_SECONDS", "119"),  # below SEAT_SECONDS
    ("SEAT_SECONDS", "604801"),  # above INVOICE_TTL_SECONDS
    ("CLIENT_BUFFER_BYTES", "2147483648"),
    ("DRAIN_SECONDS", "-0.1"),
    ("DRAIN_SECONDS", "inf"),
    ("JWT_LEEWAY_SECONDS", "-1"),
    ("MESSAGE_RATE", "-1"),
    ("MESSAGE_RATE", "nan"),
    ("MAX_SOCKETS", "-1"),
    ("CLIENT_BUFFER_BYTES", "0"),
    ("COIN_DECIMALS", "-1"),
    ("BUY_IN_TIERS", "3500,3500"),
    ("BUY_IN_TIERS", "3500,"),
    ("BUY_IN_TIERS", "0"),
    ("BUY_IN_TIERS", "1.5"),
    ("BUY_IN_TIERS", "1000000000000"),  # too long for an id
    ("GRAND_TIERS", "-5"),
    ("GRAND_TIERS", "3500"),  # a tier of BUY_IN_TIERS
    ("TABLES_PER_TIER", "0"),
    ("TABLES_PER_TIER", "65"),
    ("MIN_PLAYERS", "1"),
    ("MIN_PLAYERS", "11"),  # above MAX_PLAYERS
    ("MAX_PLAYERS", "51"),
    ("MAX_PLAYERS", "1"),  # below MIN_PLAYERS
    ("ALLOWED_ORIGINS", "*"),
    ("ALLOWED_ORIGINS", "https://*.example"),
    ("ALLOWED_ORIGINS", "https://play.example/"),
    ("ALLOWED_ORIGINS", "play.example"),
    ("ALLOWED_ORIGINS", "null"),
    ("ALLOWED_ORIGINS", "https://play.example:443"),
    ("ALLOWED_ORIGINS", "http://play.example:80"),
    ("ALLOWED_ORIGINS", "https://play.example:99999"),
    ("ALLOWED_ORIGINS", "https://play.example:"),
    ("ALLOWED_ORIGINS", "https://me@play.example"),
    ("ALLOWED_ORIGINS", "https://b\u00fccher.example"),
    ("ALLOWED_ORIGINS", "https://play example"),
    ("TRUSTED_PROXIES", "proxy.example"),
    ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ("LOG_LEVEL", "loud"),
    ("LOG_FORMAT", "xml"),
    ("ALLOW_WEAK_DURABILITY", "maybe"),
]


@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_a_right_value_is_taken(name: str, value: str) -> None:
    load_settings(REQUIRED | {name: value})


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    assert name in error_of(**{name: value})
